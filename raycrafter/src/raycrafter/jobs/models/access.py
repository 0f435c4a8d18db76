"""Access: jobs shown to others, and what is known of users' tokens."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from .jobs import Job


class JobShare(models.Model):
    """A job shown to a user or to a group that is not its owner's alone."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    group = models.ForeignKey("auth.Group", models.CASCADE, null=True, blank=True, related_name="+")
    manage = models.BooleanField(default=False, help_text="may also change the job, not only see it")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        """Database rules."""

        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(user__isnull=True, group__isnull=False)
                | models.Q(user__isnull=False, group__isnull=True),
                name="job_share_one_party",
            ),
            models.UniqueConstraint(fields=["job", "user"], name="job_share_user"),
            models.UniqueConstraint(fields=["job", "group"], name="job_share_group"),
        )

    def __str__(self) -> str:
        return f"job {self.job_id} for {self.user or self.group}"


class AccessToken(models.Model):
    """A user's token: its name, whether it may write, when it was last used."""

    token = models.OneToOneField("knox.AuthToken", models.CASCADE, related_name="access")
    name = models.CharField(max_length=100, blank=True)
    read_only = models.BooleanField(default=False)
    last_used = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token {self.pk} ({self.name})"
