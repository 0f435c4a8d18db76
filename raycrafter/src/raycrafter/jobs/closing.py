"""What happens to a job that cannot go on: nothing more is begun, what is rendered is still fetched."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from .models import Event, Job
from .states import BatchState, FrameState, JobState
from .transitions import transition, transition_all

MAX_REASON = 2000  # characters


def fail_job(job: Job, reason: str) -> None:
    """Fails every frame that waits. The schedule closes the job when the others have come to their end."""
    with transaction.atomic():
        Job.objects.locked(job.pk)
        transition_all(job.frames.filter(state=FrameState.WAITING), FrameState.FAILED, job, error=reason[:MAX_REASON])
        Event.note(job, "given up", reason, Event.Level.ERROR)
        drop_idle_batches(job)


def drop_idle_batches(job: Job) -> None:
    """Deletes batches that have not begun and have nothing to render any more, or none of a paused job's."""
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
    """Ends a job whose frames have all come to their end. Returns whether it did."""
    failed = job.frames.filter(state=FrameState.FAILED).order_by("number")
    first = failed.first()
    now = timezone.now()
    if first is None:
        return transition(job, JobState.DONE, finished=now, state_reason="")
    reason = f"{failed.count()} of {job.frame_count} frames failed; frame {first.number}: {first.error}"
    return transition(job, JobState.FAILED, finished=now, state_reason=reason[:MAX_REASON])
