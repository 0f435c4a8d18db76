"""Timeouts: batches whose client is not heard of, transfers whose worker died."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster.transfer import TIME_LIMIT
from raycrafter.dispatch import enqueue
from raycrafter.jobs import outcomes
from raycrafter.jobs.models import Attempt, Batch, Event, Site, Transfer
from raycrafter.jobs.states import BatchState, TransferState
from raycrafter.jobs.transitions import transition

from .common import cluster

logger = logging.getLogger(__name__)

# Clients keep working and keep their events while the service is away, so its own outages must not count.
TIMEOUT = timedelta(minutes=15)
GAP = timedelta(minutes=5)  # without a look at the clients: whatever makes those was away, and likely more than that
HEARD = timedelta(minutes=2)  # many heartbeats: who lives and can reach us has been heard within it
TRANSFER_LIMIT = timedelta(seconds=2 * TIME_LIMIT)


@app.task(name="raycrafter.tasks.check_timeouts")
def check_timeouts() -> None:
    """Cancel batches whose client has timed out; retry transfers whose worker died."""
    now = timezone.now()
    if now - _heard_since(now) > TIMEOUT:
        for batch in Batch.objects.filter(state=BatchState.RUNNING, last_heartbeat__lt=now - TIMEOUT):
            _cancel_timed_out(batch)
    for transfer in Transfer.objects.filter(
        state__in=[TransferState.RUNNING, TransferState.VERIFYING], started__lt=now - TRANSFER_LIMIT
    ):
        # Not an event for people: the next try says what is wrong, if anything is.
        transition(transfer, TransferState.RETRY, state_reason="its worker ended", next_try=now)
    enqueue("plan")


def _heard_since(now: datetime) -> datetime:
    """Return since when, without a break, clients could be heard.

    Kept in the database, because no process outlives all outages.
    """
    site, _ = Site.objects.get_or_create(name=cluster().name)
    since = site.heard_since
    if since is None or site.timeouts_checked is None or now - site.timeouts_checked > GAP or _is_unreachable(now):
        since = now
    Site.objects.filter(pk=site.pk).update(timeouts_checked=now, heard_since=since)
    return since


def _is_unreachable(now: datetime) -> bool:
    """Whether none of several clients is heard: then the fault is on the way to us.

    A single client may well be dead. When several are dead, their batches end by walltime, or another client is heard.
    """
    running = Batch.objects.filter(state=BatchState.RUNNING)
    count = running.count()
    if count < 2 or running.filter(last_heartbeat__gt=now - HEARD).exists():
        return False
    logger.warning("none of %d batches has been heard for %d minutes: none is timed out", count, HEARD.seconds // 60)
    return True


def _cancel_timed_out(batch: Batch) -> None:
    """Cancel a batch whose client has timed out."""
    reason = f"its client has timed out: not heard of for {TIMEOUT.seconds // 60} minutes"
    if transition(batch, BatchState.CANCELLING, state_reason=reason):
        outcomes.release(batch, Attempt.Outcome.LOST, reason, blames_frame=False)
        Event.note(batch.job, "silent", f"batch {batch.pk}: {reason}", Event.Level.WARNING, batch=batch)
