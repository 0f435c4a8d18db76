"""Holds: what keeps a job from continuing, shown on the job until it is over."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from .models import Batch, Event, Job
from .states import JOB_FINAL, JobState

logger = logging.getLogger(__name__)

REPEAT = timedelta(minutes=10)  # a hold that lasts becomes another event after this time
WAITING = "Waiting: "  # prefix of a state_reason that names a hold
DEPENDENCY = "dependency"  # source of the hold of a job that waits for another job


def hold(job: Job, source: str, text: str, batch: Batch | None = None) -> None:
    """Show on an open job what holds it, and record an event.

    ``source`` names the step that is held, for ``release``. The same text again is recorded once in REPEAT. A job that
    is over or being cancelled keeps its reason.
    """
    reason = f"{WAITING}{source}: {text}"
    open_jobs = Job.objects.exclude(state__in=[*JOB_FINAL, JobState.CANCELLING])
    open_jobs.filter(pk=job.pk).exclude(state_reason=reason).update(state_reason=reason)
    since = timezone.now() - REPEAT
    message = f"{source}: {text}"[:2000]
    if job.events.filter(kind="infrastructure", message=message, time__gt=since).exists():
        return
    Event.note(job, "infrastructure", message, Event.Level.WARNING, batch=batch)
    logger.warning("%s", message, extra={"job_id": job.pk} | ({"batch_id": batch.pk} if batch else {}))


def release(job: Job, source: str) -> None:
    """Remove the hold of that step from the job."""
    Job.objects.filter(pk=job.pk, state_reason__startswith=f"{WAITING}{source}: ").update(state_reason="")
