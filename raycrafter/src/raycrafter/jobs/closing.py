"""The end of a job: failing what waits, dropping idle batches, closing."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from .models import Event, Job
from .states import BatchState, FrameState, JobState
from .transitions import transition, transition_all

MAX_REASON = 2000  # characters


def fail_job(job: Job, reason: str) -> None:
    """Fail every frame that waits.

    The planner closes the job when the others have ended; what is rendered is still fetched.
    """
    with transaction.atomic():
        Job.objects.locked(job.pk)
        transition_all(job.frames.filter(state=FrameState.WAITING), FrameState.FAILED, job, error=reason[:MAX_REASON])
        Event.note(job, "given up", reason, Event.Level.ERROR)
        drop_idle_batches(job)


def drop_idle_batches(job: Job) -> None:
    """Delete batches that have not begun and have no work, or whose job is paused."""
    for batch in job.batches.filter(state__in=[BatchState.CREATED, BatchState.QUEUED], native_client_id=None):
        ended = [FrameState.FAILED, FrameState.CANCELLED, FrameState.SYNCED]
        if not job.paused and batch.frames.exclude(state__in=ended).exists():
            continue
        if batch.state == BatchState.CREATED:
            transition(batch, BatchState.CANCELLED, finished=timezone.now())
        else:
            transition(batch, BatchState.CANCELLING)
        if batch.state in (BatchState.CANCELLED, BatchState.CANCELLING):
            batch.frames.filter(state=FrameState.WAITING).update(batch=None)


def close(job: Job) -> bool:
    """End a job whose frames have all ended. Return whether this call did."""
    failed = job.frames.filter(state=FrameState.FAILED).order_by("number")
    first = failed.first()
    now = timezone.now()
    if first is None:
        return transition(job, JobState.DONE, finished=now, state_reason="")
    reason = f"{failed.count()} of {job.frame_count} frames failed; frame {first.number}: {first.error}"
    return transition(job, JobState.FAILED, finished=now, state_reason=reason[:MAX_REASON])
