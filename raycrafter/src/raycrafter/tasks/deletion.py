"""Deletion of batches in the batch system."""

from __future__ import annotations

import logging

from raycrafter.celery import app
from raycrafter.cluster import submit
from raycrafter.cluster.batch.reply import Submitted, number
from raycrafter.cluster.errors import InfrastructureError, RemoteError
from raycrafter.jobs.models import Batch, Event
from raycrafter.jobs.states import BatchState

from .common import owner, pauses, remote, scheduler

logger = logging.getLogger(__name__)

PAUSE = 60.0  # seconds before a batch that is still there is deleted again


@app.task(name="raycrafter.tasks.cancel_batch")
def cancel_batch(batch_id: int) -> None:
    """Delete a CANCELLING batch in the batch system; poll_cluster sees it gone."""
    batch = Batch.objects.select_related("job").filter(pk=batch_id, state=BatchState.CANCELLING).first()
    if batch is None or ("qdel", batch.pk) in pauses:
        return
    pauses.set(("qdel", batch.pk), PAUSE)
    try:
        native_id = _native_id(batch)
        if native_id is None:
            return
        refused = scheduler().deleted(remote().run(scheduler().cancel, native_id))
    except (InfrastructureError, RemoteError) as error:
        _note(str(error), batch)
        return
    if refused:
        _note(f"batch {batch.pk} ({native_id}) could not be deleted: {refused.text}", batch)


def _native_id(batch: Batch) -> str | None:
    """Return the id to delete: the job that renders, else the one that was submitted."""
    if batch.native_id and number(batch.native_id) == owner(batch):
        return batch.native_id
    return owner(batch) or batch.native_id or _late_id(batch)


def _late_id(batch: Batch) -> str | None:
    """Return the id of a batch cancelled during its submission; None without one."""
    if not batch.directory:
        return None
    answer = submit.look(remote(), scheduler(), batch.directory)
    if not isinstance(answer, Submitted):
        return None
    Batch.objects.filter(pk=batch.pk).update(native_id=answer.native_id)
    return answer.native_id


def _note(text: str, batch: Batch) -> None:
    """Record an event, and leave the job's reason: the job may be over."""
    Event.note(batch.job, "infrastructure", text, Event.Level.WARNING, batch=batch)
    logger.warning("%s", text, extra={"job_id": batch.job_id, "batch_id": batch.pk})
