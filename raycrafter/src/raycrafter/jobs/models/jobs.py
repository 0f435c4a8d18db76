"""Jobs: a scene, and the frames to render of it."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..states import JOB_FINAL, FrameState, JobState

MAX_TRIES = 3  # failures of a frame before it is failed for good

# Of a job's frames in each state: how many there are, and the sum of their percents.
Progress = dict[str, tuple[int, float]]


def scene_path(job: Job, filename: str) -> str:
    """Return where an uploaded scene is stored, relative to the media root."""
    return f"jobs/{job.pk}/scene/{filename}"


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, and how one of them is locked."""

    def locked(self, pk: int) -> Job:
        """Return one job, its row locked for this transaction.

        A transaction that changes several rows of a job locks the job first, or changes its state first: two that reach
        those rows in another order would deadlock. Rows that only refer to the job, as events do, need no lock.
        """
        return self.select_for_update(no_key=True).get(pk=pk)


class Job(models.Model):
    """A scene and the frames to render of it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    name = models.CharField(max_length=200)
    renderer = models.CharField(max_length=50)
    state = models.CharField(max_length=20, choices=JobState, default=JobState.NEW, db_index=True)
    state_reason = models.TextField(blank=True)
    # 200 characters of name and the directory before it
    scene = models.FileField(upload_to=scene_path, max_length=300)
    scene_size = models.BigIntegerField(default=0, help_text="bytes")
    scene_sha256 = models.CharField(max_length=64, blank=True)
    main = models.CharField(max_length=500, help_text="the file to render, relative to the unpacked scene")
    frames_spec = models.CharField(max_length=500)
    frame_count = models.PositiveIntegerField()
    width = models.PositiveIntegerField(help_text="pixels")
    height = models.PositiveIntegerField(help_text="pixels")
    options = models.JSONField(default=dict, blank=True)
    max_tries = models.PositiveSmallIntegerField(default=MAX_TRIES)
    priority = models.PositiveSmallIntegerField(default=50, help_text="among its owner's jobs the highest comes first")
    paused = models.BooleanField(default=False, help_text="nothing of it is begun, and clients end after their frame")
    after = models.ManyToManyField(
        "self",
        symmetrical=False,
        related_name="before",
        blank=True,
        help_text="jobs that must be DONE first",
    )
    retried = models.DateTimeField(null=True, blank=True, help_text="when its failed frames were last asked for again")
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    created = models.DateTimeField(default=timezone.now, db_index=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    keep = models.BooleanField(default=False, db_default=False, help_text="its files and itself are not deleted by age")
    warned = models.DateTimeField(null=True, blank=True, help_text="when its owner was notified of the deletion")
    files_deleted = models.DateTimeField(null=True, blank=True, help_text="when the deletion of its files began")

    objects = JobQuerySet.as_manager()

    _progress: Progress | None = None  # see jobs/progress.py

    class Meta:
        """Database rules."""

        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=["owner", "idempotency_key"], name="job_idempotency_key"),)

    def __str__(self) -> str:
        return f"job {self.pk} ({self.name})"

    @property
    def label(self) -> str:
        """The number by which people speak of it."""
        return str(self.pk)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in JOB_FINAL

    @property
    def workspace_name(self) -> str:
        """The name given to ws_allocate: its workspace's, or a new one.

        No number alone, which a restored database or a second service on the same account would give again: they would
        be lent each other's files.
        """
        workspace = getattr(self, "workspace", None)
        return workspace.name if workspace else f"rc-job-{self.pk}-{secrets.token_hex(4)}"

    def frame_counts(self) -> dict[str, int]:
        """Return the number of frames in each state, every state named."""
        return dict.fromkeys(FrameState.values, 0) | {state: count for state, (count, _) in self._states().items()}

    def percent(self) -> float:
        """Return how much is rendered, 0 to 100: each frame counts alike."""
        total = sum(percent for _, percent in self._states().values())
        return round(total / self.frame_count, 1) if self.frame_count else 0.0

    def _states(self) -> Progress:
        """Return what the job's list has loaded, else count now."""
        if self._progress is not None:
            return self._progress
        rows = self.frames.order_by().values_list("state").annotate(models.Count("pk"), models.Sum("percent"))
        return {state: (count, percent) for state, count, percent in rows}
