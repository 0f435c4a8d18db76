"""The models: a Job has Frames; a Batch (one submission) carries some of them; an Attempt is one try of one frame."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..notifications import Notification, NotificationChoice
from ..states import (
    BATCH_FINAL,
    JOB_FINAL,
    BatchState,
    FrameState,
    JobState,
    TransferState,
    WorkspaceState,
)
from .cluster import AvoidedNode, Lease, Licence, Share, Site

__all__ = [
    "AccessToken",
    "Attempt",
    "AvoidedNode",
    "Batch",
    "Event",
    "Frame",
    "Job",
    "JobShare",
    "Lease",
    "Licence",
    "Notification",
    "NotificationChoice",
    "Share",
    "Site",
    "Transfer",
    "Upload",
    "Workspace",
]

# How often a frame may be rendered before a failure is final, and how often it may be interrupted (walltime, drain).
MAX_TRIES = 3
MAX_INTERRUPTIONS = 10

# Of a job's frames in each state: how many there are, and the sum of their percents.
Progress = dict[str, tuple[int, float]]


def scene_path(job: Job, filename: str) -> str:
    """Return where an uploaded scene is stored, relative to the media root."""
    return f"jobs/{job.pk}/scene/{filename}"


def frame_path(frame: Frame, filename: str) -> str:
    """Return where a rendered file is stored, relative to the media root."""
    return f"jobs/{frame.job_id}/frames/{filename}"


def batch_name() -> str:
    """Return a new name of a batch: 15 characters that every batch system accepts, never a user's text."""
    return "rc" + base64.b32encode(secrets.token_bytes(10)).decode().lower()[:13]


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, and questions asked of many at once."""

    def visible_to(self, user: Any) -> JobQuerySet:
        """The jobs that a user may see: their own and those shared with them; staff see all."""
        return self._reached_by(user, JobShare.objects.all())

    def manageable_by(self, user: Any) -> JobQuerySet:
        """The jobs that a user may change, cancel for instance: their own and those shared for that; staff all."""
        return self._reached_by(user, JobShare.objects.filter(manage=True))

    def _reached_by(self, user: Any, shares: models.QuerySet[JobShare]) -> JobQuerySet:
        if user.is_staff:
            return self
        mine = shares.filter(models.Q(user=user.pk) | models.Q(group__user=user.pk))
        # a subquery: a join would count frames once for each share
        return self.filter(models.Q(owner=user.pk) | models.Q(pk__in=mine.values("job")))

    def locked(self, pk: int) -> Job:
        """One job, its row locked for this transaction. Whoever changes several rows of a job in one does this first,
        or moves the job: two that meet at those rows from different sides would wait for each other for ever. Rows that
        only refer to the job, events for instance, are written all the same."""
        return self.select_for_update(no_key=True).get(pk=pk)


class Job(models.Model):
    """A scene and the frames somebody wants of it."""

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
    warned = models.DateTimeField(null=True, blank=True, help_text="when its owner was told that its files will go")
    files_deleted = models.DateTimeField(null=True, blank=True, help_text="when the deletion of its files began")

    objects = JobQuerySet.as_manager()

    _progress: Progress | None = None  # see ``load_progress``

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
        """Return what the list that it is on has loaded, else what is true now."""
        return self._progress if self._progress is not None else progress_of([self]).get(self.pk, {})


def progress_of(jobs: Iterable[Job]) -> dict[int, Progress]:
    """Return how far those jobs are, by one query for all of them."""
    rows = Frame.objects.filter(job__in=[job.pk for job in jobs]).order_by().values_list("job", "state")
    found: dict[int, Progress] = {}
    for job, state, count, percent in rows.annotate(models.Count("pk"), models.Sum("percent")):
        found.setdefault(job, {})[state] = (count, percent)
    return found


def load_progress(page: Sequence[Job]) -> None:
    """Let the jobs of one page of a list tell how far they are without a query each.

    After the page was cut: counted in the list's own query, the frames of all jobs would be gone through first.
    """
    found = progress_of(page)
    for job in page:
        job._progress = found.get(job.pk, {})


class Workspace(models.Model):
    """A directory on the cluster's file system, lent until a date."""

    job = models.OneToOneField(Job, models.CASCADE, related_name="workspace")
    site = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=500, blank=True)
    expires = models.DateTimeField(null=True, blank=True)
    extensions_left = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=WorkspaceState, default=WorkspaceState.PENDING)
    state_reason = models.TextField(blank=True)
    extension_asked_by = models.CharField(
        max_length=150, blank=True, db_default="", help_text="who waits for an extension"
    )
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        """Database rules."""

        constraints = (models.UniqueConstraint(fields=["site", "name"], name="workspace_name"),)

    def __str__(self) -> str:
        return f"workspace {self.name}"

    @property
    def label(self) -> str:
        """Its name on the cluster."""
        return self.name


class Batch(models.Model):
    """One submission to the batch system, recorded, name and all, before anybody talks to the cluster."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="batches")
    site = models.CharField(max_length=50)
    name = models.CharField(max_length=15, unique=True, default=batch_name)
    state = models.CharField(max_length=20, choices=BatchState, default=BatchState.CREATED, db_index=True)
    state_reason = models.TextField(blank=True)
    native_id = models.CharField(max_length=100, null=True, blank=True, help_text="what the submission answered")
    native_client_id = models.CharField(
        max_length=100, null=True, blank=True, help_text="what the first client that claimed calls its batch job"
    )
    client_host = models.CharField(max_length=200, blank=True)
    directory = models.CharField(max_length=500, blank=True, help_text="on the cluster")
    script_sha256 = models.CharField(max_length=64, blank=True)
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    token_expires = models.DateTimeField(null=True, blank=True, help_text="set when a client first claims")
    walltime_seconds = models.PositiveIntegerField()
    created = models.DateTimeField(default=timezone.now)
    submitted = models.DateTimeField(null=True, blank=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    last_heartbeat = models.DateTimeField(null=True, blank=True)
    last_seen = models.DateTimeField(null=True, blank=True, help_text="in an answer of the batch system")
    absent_polls = models.PositiveSmallIntegerField(
        default=0, help_text="good answers of the batch system in a row without it"
    )
    exit_status = models.IntegerField(null=True, blank=True)
    finish_reason = models.CharField(max_length=200, blank=True, help_text="the client's last word")

    class Meta:
        """Database rules."""

        ordering = ("pk",)
        verbose_name_plural = "batches"
        constraints = (
            # NULLs are distinct: any number of batches may have no id yet
            models.UniqueConstraint(fields=["site", "native_id"], name="batch_native_id"),
        )

    def __str__(self) -> str:
        return f"batch {self.pk} ({self.name})"

    @property
    def label(self) -> str:
        """The number by which people speak of it."""
        return str(self.pk)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in BATCH_FINAL

    @property
    def is_held(self) -> bool:
        """Whether its job or its site is paused: it is not submitted, and its clients end when they have rendered what
        they have."""
        return self.job.paused or Site.objects.filter(name=self.site, paused=True).exists()

    @staticmethod
    def hash_token(token: str) -> str:
        """Return what is stored of a token. A 256-bit random text needs no slow hash."""
        return hashlib.sha256(token.encode()).hexdigest()

    def issue_token(self) -> str:
        """Make a new token for this batch's client, store its hash, return it; an earlier one is void."""
        token = secrets.token_urlsafe(32)
        self.token_hash = self.hash_token(token)
        self.save(update_fields=["token_hash"])
        return token

    @property
    def stop_at(self) -> float | None:
        """When the batch system will end it, or its workspace is gone, less the margin: seconds since 1970; None before
        the first claim."""
        if self.started is None:
            return None
        end, expires = self.started + timedelta(seconds=self.walltime_seconds), self.job.workspace.expires
        margin = timedelta(seconds=settings.RAYCRAFTER.cluster.walltime_margin)
        return ((min(end, expires) if expires else end) - margin).timestamp()


class Frame(models.Model):
    """One image. ``batch`` is the batch whose client may claim it; it is None while no batch carries it."""

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
        """Why it failed: the words kept with its last move."""
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


class Transfer(models.Model):
    """Files on their way in (the scene) or out (frames)."""

    class Kind(models.TextChoices):
        """Direction, seen from the cluster."""

        IN = "in"
        OUT = "out"

    job = models.ForeignKey(Job, models.CASCADE, related_name="transfers")
    kind = models.CharField(max_length=3, choices=Kind)
    state = models.CharField(max_length=20, choices=TransferState, default=TransferState.PENDING, db_index=True)
    state_reason = models.TextField(blank=True)
    error_class = models.CharField(max_length=50, blank=True, help_text="credential, quota, workspace, network …")
    manifest = models.JSONField(default=list, blank=True, help_text="[{frame, source, target, size in bytes, sha256}]")
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Database rules."""

        ordering = ("pk",)

    def __str__(self) -> str:
        return f"transfer {self.pk} ({self.kind})"

    @property
    def label(self) -> str:
        """The number and the direction."""
        return f"{self.pk} ({self.kind})"


class Event(models.Model):
    """Something that happened. The client numbers its own (seq), so that a repeated report adds nothing."""

    class Level(models.IntegerChoices):
        """Python's logging levels."""

        DEBUG = 10, "DEBUG"
        INFO = 20, "INFO"
        WARNING = 30, "WARNING"
        ERROR = 40, "ERROR"

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, blank=True, related_name="events")
    frame = models.ForeignKey(Frame, models.CASCADE, null=True, blank=True, related_name="events")
    seq = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="the client's own number; none for the server's"
    )
    time = models.DateTimeField(default=timezone.now)
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.INFO)
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
        """Record something other than a move of a state; ``fields``: batch, frame, data."""
        return cls.objects.create(job=job, kind=kind, message=message[:2000], level=level, **fields)


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
    """What is known of a user's token beside its hash: what it is for, what it may do, when it was last used."""

    token = models.OneToOneField("knox.AuthToken", models.CASCADE, related_name="access")
    name = models.CharField(max_length=100, blank=True)
    read_only = models.BooleanField(default=False)
    last_used = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token {self.pk} ({self.name})"


def upload_id() -> str:
    """Return a new name of an upload, which nobody guesses."""
    return secrets.token_hex(16)


class Upload(models.Model):
    """A scene on its way in, piece by piece, until a job is made of it. Each piece is a file of the media storage."""

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
