"""What users and operators are told, written down before it is sent: a row for each recipient and way.

A row's ``key`` names what happened, to whom it is told and how: what is there already is not told again.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from .models import Job

SUBJECT = "[RayCrafter] "


class Channel(models.TextChoices):
    """How somebody is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class NotificationChoice(models.Model):
    """How a user wants to be told. Without a row: by mail, if the user has an address."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_choice")
    mail = models.BooleanField(default=True)
    webhook = models.URLField(max_length=500, blank=True)
    salt = models.CharField(max_length=64, blank=True, help_text="of the webhook's secret")

    def __str__(self) -> str:
        return f"notifications of {self.user}"

    @property
    def secret(self) -> str:
        """What signs the webhook's bodies. It is derived, so that the table alone is not enough to sign."""
        text = f"{self.user_id}:{self.salt}"
        return salted_hmac("raycrafter.webhook", text, algorithm="sha256").hexdigest()

    def new_secret(self) -> str:
        """Make another secret and return it; the caller saves."""
        self.salt = secrets.token_hex(32)
        return self.secret


class Notification(models.Model):
    """Something to tell one recipient in one way. ``next_try`` is empty when there is nothing left to do."""

    key = models.CharField(max_length=250, unique=True)
    kind = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, choices=Channel)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", help_text="none: operators"
    )
    job = models.ForeignKey("jobs.Job", models.CASCADE, null=True, blank=True, related_name="notifications")
    subject = models.CharField(max_length=300)
    text = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    next_try = models.DateTimeField(null=True, blank=True, default=timezone.now, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        """Database rules."""

        ordering = ("pk",)

    def __str__(self) -> str:
        return self.subject


def choice_of(user: Any) -> NotificationChoice:
    """Return what a user chose; a row that is not saved for who chose nothing."""
    return NotificationChoice.objects.filter(user=user.pk).first() or NotificationChoice(user=user)


def choose(
    user: Any, mail: bool | None, webhook: str | None, new_secret: bool
) -> tuple[NotificationChoice, str | None]:
    """Change what is given. Returns the choice, and the webhook's secret if it is new: it is shown this once."""
    choice, _ = NotificationChoice.objects.get_or_create(user=user)
    choice.mail = choice.mail if mail is None else mail
    choice.webhook = choice.webhook if webhook is None else webhook
    secret = None
    if not choice.webhook:
        choice.salt = ""
    elif new_secret or not choice.salt:
        secret = choice.new_secret()
    choice.save()
    return choice, secret


def tell(user: Any, kind: str, occasion: str, subject: str, text: str, job: Job | None = None) -> None:
    """Have a user told in the ways they chose. The same occasion of a job and kind again changes nothing."""
    choice = choice_of(user)
    channels = [Channel.MAIL] if choice.mail and user.email and settings.RAYCRAFTER.mail.host else []
    channels += [Channel.WEBHOOK] if choice.webhook else []
    if user.is_active:
        _write(channels, user, kind, occasion, subject, text, job)


def tell_operators(kind: str, occasion: str, subject: str, text: str, job: Job | None = None) -> None:
    """Have the operators told by mail, as ``tell``; the configuration says who they are."""
    mail = settings.RAYCRAFTER.mail
    _write([Channel.MAIL] if mail.host and mail.operators else [], None, kind, occasion, subject, text, job)


def _write(
    channels: list[Channel], user: Any, kind: str, occasion: str, subject: str, text: str, job: Job | None
) -> None:
    whom = str(user.pk) if user else "operators"
    rows = [
        Notification(
            key=f"{channel}:{whom}:{kind}:{job.pk if job else ''}:{occasion}"[:250],
            kind=kind,
            channel=channel,
            user=user,
            job=job,
            subject=" ".join(f"{SUBJECT}{subject}".split())[:300],
            text=text,
        )
        for channel in channels
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def address_of(job: Job) -> str:
    """Return the address of a job's page."""
    return f"{settings.RAYCRAFTER.django.public_url.rstrip('/')}/jobs/{job.pk}"


def job_ended(job: Job) -> None:
    """Tell the owner of a job that is over. One that is tried again ends once more, and is told of once more."""
    ended = job.finished or timezone.now()
    text = f"Job {job.pk} ({job.name}) is {job.state}.\n"
    if job.state_reason:
        text += f"{job.state_reason}\n"
    subject = f"Job {job.pk} ({job.name}): {job.state}"
    tell(job.owner, job.state.lower(), ended.isoformat(), subject, f"{text}\n{address_of(job)}\n", job)
