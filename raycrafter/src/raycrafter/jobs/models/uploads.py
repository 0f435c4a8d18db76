"""Uploads: scenes on their way in."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models

from .jobs import Job


def upload_id() -> str:
    """Return a new name of an upload, which nobody guesses."""
    return secrets.token_hex(16)


class Upload(models.Model):
    """A scene on its way in; each piece is a file of the media storage."""

    id = models.CharField(max_length=32, primary_key=True, default=upload_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="uploads")
    filename = models.CharField(max_length=255)
    size = models.BigIntegerField(help_text="bytes")
    offset = models.BigIntegerField(default=0, help_text="bytes that have arrived")
    pieces = models.JSONField(default=list, blank=True, help_text="their names in the media storage, in order")
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="of the whole; announced, or found when it was whole"
    )
    job = models.ForeignKey(Job, models.CASCADE, null=True, blank=True, related_name="uploads")
    expires = models.DateTimeField()

    class Meta:
        """Database rules."""

        ordering = ("expires",)

    def __str__(self) -> str:
        return f"upload {self.pk} ({self.filename})"
