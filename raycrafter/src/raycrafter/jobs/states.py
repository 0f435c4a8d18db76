"""States of jobs, frames, batches, transfers, workspaces; tables of transitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import models

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
    """A frame. WAITING ones may have a batch already; CLAIMED ones have a client."""

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


def _table(transitions: Mapping[str, Iterable[str]]) -> Table:
    return {str(state): frozenset(str(to) for to in targets) for state, targets in transitions.items()}


J, F, B, T, W = JobState, FrameState, BatchState, TransferState, WorkspaceState

JOB_TRANSITIONS = _table(
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

FRAME_TRANSITIONS = _table(
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

BATCH_TRANSITIONS = _table(
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

TRANSFER_TRANSITIONS = _table(
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

WORKSPACE_TRANSITIONS = _table(
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
    "job": JOB_TRANSITIONS,
    "frame": FRAME_TRANSITIONS,
    "batch": BATCH_TRANSITIONS,
    "transfer": TRANSFER_TRANSITIONS,
    "workspace": WORKSPACE_TRANSITIONS,
}

# What a person may take back. Not in the tables: ``transition`` would take these ways after a lost race.
REOPENS: dict[str, Mapping[str, str]] = {
    "job": {J.FAILED: J.STAGING},
    "frame": {F.FAILED: F.WAITING, F.CANCELLED: F.WAITING},
    "workspace": {W.RELEASED: W.PENDING, W.EXPIRED: W.PENDING, W.FAILED: W.PENDING},
}


def final(table: Table) -> frozenset[str]:
    """Return the states that nothing leaves."""
    return frozenset(state for state, targets in table.items() if not targets)


JOB_FINAL = final(JOB_TRANSITIONS)
BATCH_FINAL = final(BATCH_TRANSITIONS)
TRANSFER_FINAL = final(TRANSFER_TRANSITIONS)
