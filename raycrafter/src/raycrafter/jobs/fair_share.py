"""Fair share: batches are given one by one; the user with least usage goes first."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

from .models import Attempt, Batch, Frame, Job, Licence, Share, Site
from .states import BATCH_FINAL, BatchState, FrameState, JobState

# Batches that take no room any more.
OVER = (*BATCH_FINAL, BatchState.ENDING, BatchState.CANCELLING)
READY = (JobState.READY, JobState.ACTIVE, JobState.STAGING_OUT)
FRUITLESS = timedelta(minutes=2)  # without a new batch after one whose client was given no frame
MEMORY = timedelta(days=1)  # how long what a user has rendered counts against them


def plan_batches() -> None:
    """Create batches of ``chunk_size`` frames, as many as the quotas allow."""
    with transaction.atomic():
        Site.objects.get_or_create(name=settings.RAYCRAFTER.cluster.name)
        # the row's lock: two schedules at once would both fill the same room
        site = Site.objects.select_for_update().get(name=settings.RAYCRAFTER.cluster.name)
        if site.paused:
            return
        deal = _Usage(site)
        while deal.room > 0 and (job := deal.next_job()):
            _new_batch(job)
            deal.count(job)


def _new_batch(job: Job) -> None:
    """Create a batch for the first frames that wait.

    A frame that is cancelled meanwhile is claimed by nobody.
    """
    cluster = settings.RAYCRAFTER.cluster
    waiting = job.frames.filter(state=FrameState.WAITING, batch=None).order_by("number")
    chunk = list(waiting.values_list("pk", flat=True)[: cluster.chunk_size])
    batch = Batch.objects.create(job=job, site=cluster.name, walltime_seconds=cluster.walltime_seconds)
    job.frames.filter(pk__in=chunk, state=FrameState.WAITING, batch=None).update(batch=batch)


class _Usage:
    """The usage of each user, and the job that comes next."""

    def __init__(self, site: Site) -> None:
        present = list(Batch.objects.exclude(state__in=OVER).values_list("job__owner", "job__renderer"))
        self._site = site
        self._batches = Counter(owner for owner, _ in present)
        self._renderers = Counter(renderer for _, renderer in present)
        self._shares = {share.user_id: share for share in Share.objects.all()}
        self._licences = dict(Licence.objects.values_list("renderer", "count"))
        since = timezone.now() - MEMORY
        used = Attempt.objects.filter(started__gt=since).values_list("frame__job__owner")
        self._used = dict(used.annotate(total=Sum("seconds", default=0.0)))
        limit = site.max_batches if site.max_batches is not None else settings.RAYCRAFTER.cluster.max_batches
        self.room = limit - len(present)

    def count(self, job: Job) -> None:
        """Count a batch that the job got."""
        self.room -= 1
        self._batches[job.owner_id] += 1
        self._renderers[job.renderer] += 1

    def next_job(self) -> Job | None:
        """Return the job that gets the next batch, its row locked; None without one."""
        waiting = Frame.objects.filter(job=OuterRef("pk"), state=FrameState.WAITING, batch=None)
        # whose client was given no frame, as on a node that is blocked: the next one would land there, too
        fruitless = Batch.objects.filter(job=OuterRef("pk"), finished__gt=timezone.now() - FRUITLESS, attempts=None)
        fruitless = fruitless.exclude(native_client_id=None)
        jobs = Job.objects.select_for_update(no_key=True).filter(
            Exists(waiting), ~Exists(fruitless), state__in=READY, paused=False
        )
        jobs = [job for job in jobs.order_by("-priority", "pk") if self._may(job)]
        # min takes the first of equals: each user's most urgent job, the oldest of those
        return min(jobs, key=self._part, default=None)

    def _weight(self, owner: int) -> int:
        return self._shares[owner].weight if owner in self._shares else 1

    def _part(self, job: Job) -> tuple[float, float]:
        """Return by what jobs are ordered: their owner's batches, then usage, by weight.

        The batches are counted with the one that the job would get.
        """
        weight = self._weight(job.owner_id)
        return (self._batches[job.owner_id] + 1) / weight, self._used.get(job.owner_id, 0.0) / weight

    def _may(self, job: Job) -> bool:
        share = self._shares.get(job.owner_id)
        limit = share.max_batches if share and share.max_batches is not None else self._site.max_batches_per_user
        if self._weight(job.owner_id) == 0 or (limit is not None and self._batches[job.owner_id] >= limit):
            return False
        licences = self._licences.get(job.renderer)
        return (
            licences is None or (self._renderers[job.renderer] + 1) * settings.RAYCRAFTER.cluster.launch.n <= licences
        )
