"""Batches whose client is silent, and transfers whose worker died: nobody else would ever speak of them."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster.transfer import TIME_LIMIT
from raycrafter.jobs import outcomes
from raycrafter.jobs.models import Attempt, Batch, Event, Transfer
from raycrafter.jobs.states import BatchState, TransferState, move

from .common import enqueue

logger = logging.getLogger(__name__)

# Clients keep working and keep their events while the service is away, so its own outages must not count for much.
SILENCE = timedelta(minutes=15)
STARTED = timezone.now()  # of this process: nobody could be heard before
TRANSFER_LIMIT = timedelta(seconds=2 * TIME_LIMIT)


@app.task(name="raycrafter.tasks.reap")
def reap() -> None:
    """Ends what has been silent for too long; its frames are rendered again."""
    now = timezone.now()
    if now - STARTED > SILENCE:
        for batch in Batch.objects.filter(state=BatchState.RUNNING, last_heartbeat__lt=now - SILENCE):
            _end_silent(batch)
    for transfer in Transfer.objects.filter(
        state__in=[TransferState.RUNNING, TransferState.VERIFYING], started__lt=now - TRANSFER_LIMIT
    ):
        # Not an event for people: the next try says what is wrong, if anything is.
        move(transfer, TransferState.RETRY, state_reason="its worker ended", next_try=now)
    enqueue("schedule")


def _end_silent(batch: Batch) -> None:
    """Has a batch deleted whose client, if it lives, can reach nobody."""
    reason = f"its client has been silent for {SILENCE.seconds // 60} minutes"
    if move(batch, BatchState.CANCELLING, state_reason=reason):
        outcomes.release(batch, Attempt.Outcome.LOST, reason)
        Event.note(batch.job, "silent", f"batch {batch.pk}: {reason}", Event.Level.WARNING, batch=batch)
