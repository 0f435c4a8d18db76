"""Frames, and the attempts at them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from ..states import FrameState
from .batches import Batch
from .jobs import Job


def frame_path(frame: Frame, filename: str) -> str:
    """Return where a rendered file is stored, relative to the media root."""
    return f"jobs/{frame.job_id}/frames/{filename}"


class Frame(models.Model):
    """One image. Clients of ``batch`` may claim it; None while no batch carries it."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="frames")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=FrameState, default=FrameState.WAITING)
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, blank=True, related_name="frames")
    tries = models.PositiveSmallIntegerField(default=0, help_text="attempts that ended in failure")
    percent = models.FloatField(default=0.0)
    seconds = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True)
    outputs = models.JSONField(
        default=list, blank=True, help_text="what the client reported: [{path on the cluster, size in bytes, sha256}]"
    )
    file = models.FileField(upload_to=frame_path, max_length=300, blank=True)
    file_size = models.BigIntegerField(null=True, blank=True, help_text="bytes")
    file_sha256 = models.CharField(max_length=64, blank=True)
    thumbnail = models.BooleanField(default=False, db_default=False, help_text="a small copy lies beside the file")

    class Meta:
        """Database rules."""

        ordering = (
            "job",
            "number",
        )
        constraints = (models.UniqueConstraint(fields=["job", "number"], name="frame_number"),)
        indexes = (models.Index(fields=["job", "state"]), models.Index(fields=["batch", "state"]))

    def __str__(self) -> str:
        return f"frame {self.number} of job {self.job_id}"

    @property
    def label(self) -> str:
        """Its number and its job's."""
        return f"{self.number} of job {self.job_id}"

    @property
    def state_reason(self) -> str:
        """Why it failed: the text kept with its last transition."""
        return self.error


class Attempt(models.Model):
    """One try of one frame by one client. History: rows are closed, never reused."""

    class Outcome(models.TextChoices):
        """How it ended."""

        RENDERED = "rendered"
        FAILED = "failed"
        INTERRUPTED = "interrupted"
        LOST = "lost"
        CANCELLED = "cancelled"

    frame = models.ForeignKey(Frame, models.CASCADE, related_name="attempts")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField(help_text="1 is the frame's first")
    host = models.CharField(max_length=200, blank=True, help_text="the compute node that claimed it")
    started = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    returncode = models.IntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    peak_rss_kb = models.PositiveBigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    log = models.TextField(blank=True, db_default="", help_text="the renderer's last lines")

    class Meta:
        """Database rules."""

        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["frame", "number"], name="attempt_number"),
            models.UniqueConstraint(
                fields=["frame"], condition=models.Q(ended__isnull=True), name="attempt_one_open_per_frame"
            ),
        )

    def __str__(self) -> str:
        return f"attempt {self.number} at {self.frame}"
