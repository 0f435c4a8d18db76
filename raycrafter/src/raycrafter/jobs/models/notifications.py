"""Notifications: users' settings, and a row for each recipient and channel."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .jobs import Job


class Channel(models.TextChoices):
    """How a recipient is notified."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class NotificationChoice(models.Model):
    """How a user is notified. Without a row: by mail, if the user has an address."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_choice")
    mail = models.BooleanField(default=True)
    webhook = models.URLField(max_length=500, blank=True)
    salt = models.CharField(max_length=64, blank=True, help_text="of the webhook's secret")

    def __str__(self) -> str:
        return f"notifications of {self.user}"

    @property
    def secret(self) -> str:
        """The key of the webhook's signatures, derived so that the table does not have it."""
        text = f"{self.user_id}:{self.salt}"
        return salted_hmac("raycrafter.webhook", text, algorithm="sha256").hexdigest()

    def new_secret(self) -> str:
        """Make another secret and return it; the caller saves."""
        self.salt = secrets.token_hex(32)
        return self.secret


class Notification(models.Model):
    """A message to one recipient by one channel; without ``next_try`` it is settled."""

    key = models.CharField(max_length=250, unique=True)
    kind = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, choices=Channel)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", help_text="none: operators"
    )
    job = models.ForeignKey(Job, models.CASCADE, null=True, blank=True, related_name="notifications")
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
