"""The states of jobs, frames, batches, transfers and workspaces, and the only function that changes them.

One table per kind says which moves exist. A move is a compare-and-set in the database (``UPDATE … WHERE pk = … AND
state = …``): of two processes that try the same move exactly one succeeds. Every move leaves an Event and a log line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

if TYPE_CHECKING:
    from .models import Job

logger = logging.getLogger(__name__)

Table = Mapping[str, frozenset[str]]


class JobState(models.TextChoices):
    """A job; derived from its transfers, batches and frames."""

    NEW = "NEW"
    STAGING = "STAGING"
    READY = "READY"
    ACTIVE = "ACTIVE"
    STAGING_OUT = "STAGING_OUT"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


class FrameState(models.TextChoices):
    """A frame. WAITING frames may already be assigned to a batch; CLAIMED ones were handed to a client."""

    WAITING = "WAITING"
    CLAIMED = "CLAIMED"
    RUNNING = "RUNNING"
    RENDERED = "RENDERED"
    SYNCED = "SYNCED"
    SOFT_FAILED = "SOFT_FAILED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class BatchState(models.TextChoices):
    """A batch: one submission to the batch system."""

    CREATED = "CREATED"
    SUBMITTING = "SUBMITTING"
    SUBMIT_UNKNOWN = "SUBMIT_UNKNOWN"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    ENDING = "ENDING"
    FINISHED = "FINISHED"
    LOST = "LOST"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


class TransferState(models.TextChoices):
    """A transfer between the media storage and a workspace."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    VERIFYING = "VERIFYING"
    RETRY = "RETRY"
    BLOCKED = "BLOCKED"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class WorkspaceState(models.TextChoices):
    """A directory lent by the cluster for a number of days."""

    PENDING = "PENDING"
    ALLOCATED = "ALLOCATED"
    RELEASING = "RELEASING"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


def _table(moves: Mapping[str, Iterable[str]]) -> Table:
    return {str(state): frozenset(str(to) for to in targets) for state, targets in moves.items()}


J, F, B, T, W = JobState, FrameState, BatchState, TransferState, WorkspaceState

JOB_MOVES = _table(
    {
        J.NEW: [J.STAGING, J.FAILED, J.CANCELLING],
        J.STAGING: [J.READY, J.FAILED, J.CANCELLING],
        J.READY: [J.ACTIVE, J.FAILED, J.CANCELLING],
        J.ACTIVE: [J.STAGING_OUT, J.FAILED, J.CANCELLING],
        # back to ACTIVE: a result that was bad after the transfer is rendered again
        J.STAGING_OUT: [J.DONE, J.FAILED, J.ACTIVE, J.CANCELLING],
        J.CANCELLING: [J.CANCELLED],
        J.DONE: [],
        J.FAILED: [],
        J.CANCELLED: [],
    }
)

FRAME_MOVES = _table(
    {
        F.WAITING: [F.CLAIMED, F.FAILED, F.CANCELLED],
        # straight to RENDERED: the result may overtake the first heartbeat; to WAITING: interrupted, not at fault
        F.CLAIMED: [F.RUNNING, F.RENDERED, F.SOFT_FAILED, F.WAITING, F.CANCELLED],
        F.RUNNING: [F.RENDERED, F.SOFT_FAILED, F.WAITING, F.CANCELLED],
        # SOFT_FAILED: the file was missing or not the one that was rendered
        F.RENDERED: [F.SYNCED, F.SOFT_FAILED, F.CANCELLED],
        F.SOFT_FAILED: [F.WAITING, F.FAILED, F.CANCELLED],
        F.SYNCED: [],
        F.FAILED: [],
        F.CANCELLED: [],
    }
)

BATCH_MOVES = _table(
    {
        # straight to RUNNING: a submission taken for failed may have succeeded after all
        B.CREATED: [B.SUBMITTING, B.RUNNING, B.CANCELLED, B.LOST],
        # straight to RUNNING: a client may claim before the answer of qsub has been read or recorded
        B.SUBMITTING: [B.QUEUED, B.RUNNING, B.SUBMIT_UNKNOWN, B.CREATED, B.CANCELLING, B.LOST],
        B.SUBMIT_UNKNOWN: [B.QUEUED, B.RUNNING, B.CREATED, B.CANCELLING, B.LOST],
        B.QUEUED: [B.RUNNING, B.ENDING, B.CANCELLING, B.LOST],
        B.RUNNING: [B.ENDING, B.CANCELLING, B.LOST],
        B.ENDING: [B.FINISHED, B.CANCELLING, B.LOST],
        B.CANCELLING: [B.CANCELLED, B.LOST],
        B.FINISHED: [],
        B.LOST: [],
        B.CANCELLED: [],
    }
)

TRANSFER_MOVES = _table(
    {
        T.PENDING: [T.RUNNING, T.RETRY, T.BLOCKED, T.FAILED, T.CANCELLED],
        T.RUNNING: [T.VERIFYING, T.RETRY, T.BLOCKED, T.FAILED, T.CANCELLED],
        T.VERIFYING: [T.DONE, T.RETRY, T.BLOCKED, T.FAILED, T.CANCELLED],
        T.RETRY: [T.RUNNING, T.BLOCKED, T.FAILED, T.CANCELLED],
        T.BLOCKED: [T.RUNNING, T.RETRY, T.FAILED, T.CANCELLED],
        T.DONE: [],
        T.FAILED: [],
        T.CANCELLED: [],
    }
)

WORKSPACE_MOVES = _table(
    {
        # to RELEASING: a cancelled job's, of which nobody knows whether the cluster has made it
        W.PENDING: [W.ALLOCATED, W.RELEASING, W.FAILED],
        W.ALLOCATED: [W.RELEASING, W.EXPIRED],
        W.RELEASING: [W.RELEASED],
        W.RELEASED: [],
        W.EXPIRED: [W.RELEASED],
        W.FAILED: [],
    }
)

TABLES: dict[str, Table] = {
    "job": JOB_MOVES,
    "frame": FRAME_MOVES,
    "batch": BATCH_MOVES,
    "transfer": TRANSFER_MOVES,
    "workspace": WORKSPACE_MOVES,
}

# What a person may take back. Not in the tables: ``move`` would walk these ways after a lost race.
REOPENS: dict[str, Mapping[str, str]] = {
    "job": {J.FAILED: J.STAGING},
    "frame": {F.FAILED: F.WAITING, F.CANCELLED: F.WAITING},
    "workspace": {W.RELEASED: W.PENDING, W.EXPIRED: W.PENDING, W.FAILED: W.PENDING},
}


def final(table: Table) -> frozenset[str]:
    """Return the states that nothing leaves."""
    return frozenset(state for state, targets in table.items() if not targets)


JOB_FINAL = final(JOB_MOVES)
BATCH_FINAL = final(BATCH_MOVES)
TRANSFER_FINAL = final(TRANSFER_MOVES)


class IllegalMoveError(ValueError):
    """The table has no such move: a mistake in the calling code, never a lost race."""

    def __init__(self, kind: str, state: str, to: str) -> None:
        self.kind, self.state, self.to = kind, state, to
        super().__init__(f"a {kind} cannot go from {state} to {to}")


def _kind(model: models.Model | type[models.Model]) -> str:
    return str(model._meta.model_name)


def move(obj: models.Model, to: str, **fields: Any) -> bool:
    """Move one object to a state, set further fields in the same UPDATE, and record an Event.

    Returns True when this call made the move. Returns False, with ``obj`` refreshed, when the object already was
    there or when another process moved it where this move does not exist: the caller must then not act on the move.
    Raises IllegalMoveError when the state the caller had loaded has no such move.
    """
    kind, table, target = _kind(obj), TABLES[_kind(obj)], str(to)
    if obj.state == target:
        return False
    if target not in table[obj.state]:
        raise IllegalMoveError(kind, obj.state, target)
    manager = type(obj)._default_manager
    while target in table[obj.state]:
        before = obj.state
        with transaction.atomic():
            moved = manager.filter(pk=obj.pk, state=before).update(state=target, **fields)
            if moved:
                obj.state = target
                for name, value in fields.items():
                    setattr(obj, name, value)
                _record(obj, kind, before, target)
        if moved:
            return True
        # Lost a race: look again. The loop ends, because the tables allow no object to be moved for ever unseen.
        obj.refresh_from_db()
    return False


def move_all(queryset: models.QuerySet, to: str, job: Job, **fields: Any) -> int:
    """Move those objects of one job for which the move exists; one Event for all. Returns how many moved."""
    kind, target = _kind(queryset.model), str(to)
    allowed = [state for state, targets in TABLES[kind].items() if target in targets]
    with transaction.atomic():
        count = queryset.filter(state__in=allowed).update(state=target, **fields)
        if count:
            _record_all(job, kind, count, target)
    return count


def reopen(queryset: models.QuerySet, job: Job, **fields: Any) -> int:
    """Take objects of one job out of the states that ``REOPENS`` names; one Event for all. Returns how many moved."""
    kind, count = _kind(queryset.model), 0
    with transaction.atomic():
        for state, target in REOPENS[kind].items():
            count += queryset.filter(state=str(state)).update(state=str(target), **fields)
        if count:
            _record_all(job, kind, count, str(target))
    return count


def _record_all(job: Job, kind: str, count: int, target: str) -> None:
    """Write the Event and the log line of a move of many."""
    from .models import Event

    noun = f"{kind}{'es' if kind.endswith('h') else 's'}" if count != 1 else kind
    Event.objects.create(
        job=job,
        kind="state",
        message=f"{count} {noun}: {target}",
        data={"object": kind, "count": count, "to": target},
    )
    logger.info("%d %s to %s", count, noun, target, extra={"job_id": job.pk, "object": kind, "state": target})


def _record(obj: models.Model, kind: str, before: str, after: str) -> None:
    """Write the Event and the log line of one move."""
    from .models import Event

    links: dict[str, Any] = {"job_id": obj.pk if kind == "job" else obj.job_id}
    if kind == "frame":
        links |= {"frame_id": obj.pk, "batch_id": obj.batch_id}
    elif kind == "batch":
        links["batch_id"] = obj.pk
    reason = getattr(obj, "state_reason", "")
    level = Event.Level.WARNING if after in {"FAILED", "SOFT_FAILED", "LOST", "BLOCKED"} else Event.Level.INFO
    label = f"{kind} {obj.label}"
    message = f"{label}: {before} to {after}" + (f": {reason}" if reason else "")
    Event.objects.create(
        **links,
        kind="state",
        level=level,
        message=message[:2000],
        data={"object": kind, "id": obj.pk, "from": before, "to": after},
    )
    if kind == "job" and after in JOB_FINAL:
        from .notifications import job_ended

        job_ended(obj)  # in the move's own transaction: neither is there without the other
    extra = {key: value for key, value in links.items() if value} | {f"{kind}_id": obj.pk}
    extra |= {"object": kind, "state": after}
    if kind == "frame":
        extra["frame"] = obj.number
    logger.log(level, "%s", message, extra=extra)
