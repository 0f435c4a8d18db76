"""Events: what happened to a job, and who caused it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from .batches import Batch
from .frames import Frame
from .jobs import Job


class Event(models.Model):
    """Something that happened. Clients number their events, so that none comes twice."""

    class Level(models.IntegerChoices):
        """Python's logging levels."""

        DEBUG = 10, "DEBUG"
        INFO = 20, "INFO"
        WARNING = 30, "WARNING"
        ERROR = 40, "ERROR"

    class Actor(models.TextChoices):
        """Who caused it."""

        USER = "user"
        OPERATOR = "operator"
        SERVICE = "service"
        CLIENT = "client"

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, blank=True, related_name="events")
    frame = models.ForeignKey(Frame, models.CASCADE, null=True, blank=True, related_name="events")
    seq = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="the client's own number; none for the server's"
    )
    time = models.DateTimeField(default=timezone.now)
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.INFO)
    actor = models.CharField(max_length=10, choices=Actor, default=Actor.SERVICE)
    kind = models.CharField(max_length=50)
    message = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        """Database rules."""

        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=["batch", "seq"], name="event_batch_seq"),)
        indexes = (models.Index(fields=["job", "-id"]),)

    def __str__(self) -> str:
        return self.message

    @classmethod
    def note(cls, job: Job, kind: str, message: str, level: int = Level.INFO, **fields: Any) -> Event:
        """Record something other than a transition; ``fields``: batch, frame, data, actor."""
        return cls.objects.create(job=job, kind=kind, message=message[:2000], level=level, **fields)
