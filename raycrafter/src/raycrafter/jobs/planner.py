"""The planner: the next step of every open job.

It decides and sends messages, and never speaks to the cluster.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from raycrafter.dispatch import enqueue
from raycrafter.renderers import ADAPTERS

from . import holds
from .closing import close, drop_idle_batches, fail_job
from .fair_share import plan_batches
from .fetching import collect, due
from .models import Batch, Event, Job, Transfer, Workspace
from .states import BATCH_FINAL, JOB_FINAL, REOPENS, BatchState, FrameState, JobState, TransferState, WorkspaceState
from .transitions import reopen, transition, transition_all

logger = logging.getLogger(__name__)

# Batches in a row that end before their client begins: the fault is not the batch's.
MAX_STILLBORN = 3
UNFINISHED = (FrameState.WAITING, FrameState.CLAIMED, FrameState.RUNNING, FrameState.SOFT_FAILED)


def plan() -> None:
    """Plan every open job; an error in one keeps no other waiting."""
    for pk in Job.objects.exclude(state__in=JOB_FINAL).order_by("pk").values_list("pk", flat=True):
        try:
            with transaction.atomic():
                _step(Job.objects.locked(pk))
        except Exception:
            logger.exception("job %d could not be planned", pk, extra={"job_id": pk})
    plan_batches()
    for pk in Batch.objects.filter(state=BatchState.CREATED).order_by("pk").values_list("pk", flat=True):
        enqueue("submit_batch", pk)
    for pk in Batch.objects.filter(state=BatchState.CANCELLING).values_list("pk", flat=True):
        enqueue("cancel_batch", pk)
    _release_workspaces()
    for pk in Workspace.objects.exclude(extension_asked_by="").values_list("pk", flat=True):
        enqueue("extend_workspace", pk)


def _step(job: Job) -> None:
    """Take the next step of one job, whose row is locked."""
    match job.state:
        case JobState.NEW | JobState.STAGING:
            # A job that failed before it began and is tried again has no workspace either.
            if Workspace.objects.filter(job=job).exists() and job.state == JobState.STAGING:
                _stage(job)
            elif _may_begin(job):
                _begin(job)
                _stage(job)
        case JobState.READY | JobState.ACTIVE | JobState.STAGING_OUT:
            _render(job)
            collect(job)
            _conclude(job)
        case JobState.CANCELLING:
            if not job.batches.exclude(state__in=BATCH_FINAL).exists():
                transition(job, JobState.CANCELLED, finished=timezone.now())


def _may_begin(job: Job) -> bool:
    """Whether a job may begin: not paused, and all jobs before it are done.

    When one of those comes to nothing, this job is failed.
    """
    states = dict(job.after.values_list("pk", "state"))
    ended = [pk for pk, state in states.items() if state in (JobState.FAILED, JobState.CANCELLED)]
    if ended:
        fail_job(job, f"job {min(ended)}, which must be done before, is {states[min(ended)]}")
        close(job)
        return False
    waits = [pk for pk, state in states.items() if state != JobState.DONE]
    if waits:
        holds.hold(job, holds.DEPENDENCY, f"job {min(waits)} must be done before")
        return False
    holds.release(job, holds.DEPENDENCY)
    return not job.paused


def _begin(job: Job) -> None:
    """Record workspace and transfer before any command on the cluster."""
    Workspace.objects.get_or_create(
        job=job, defaults={"site": settings.RAYCRAFTER.cluster.name, "name": job.workspace_name}
    )
    Transfer.objects.get_or_create(job=job, kind=Transfer.Kind.IN, defaults={"bytes_total": job.scene_size})
    transition(job, JobState.STAGING)


def _stage(job: Job) -> None:
    """Stage a job: workspace, then scene, then READY."""
    if job.workspace.state == WorkspaceState.RELEASING:
        return  # tried again while its workspace is being given back: the next look finds it gone
    transfer = job.transfers.filter(kind=Transfer.Kind.IN).last()
    # a job that is tried again may find its workspace gone
    if job.workspace.state in REOPENS["workspace"] and reopen(Workspace.objects.filter(job=job), job, path=""):
        # what was on its way to the old one is nobody's any more
        inward = job.transfers.filter(kind=Transfer.Kind.IN)
        transition_all(inward, TransferState.CANCELLED, job, finished=timezone.now())
        transfer = Transfer.objects.create(job=job, kind=Transfer.Kind.IN, bytes_total=job.scene_size)
        job.workspace.refresh_from_db()
    if job.workspace.state == WorkspaceState.PENDING:
        enqueue("ensure_workspace", job.workspace.pk)
    elif transfer.state == TransferState.DONE:
        transition(job, JobState.READY)
        _render(job)
    elif transfer.state == TransferState.FAILED:
        close(job)
    elif due(transfer):
        enqueue("push_input", transfer.pk)


def _render(job: Job) -> None:
    """Decide on failures, and drop idle batches; fair share gives the new ones."""
    _decide_failures(job)
    waiting = job.frames.filter(state=FrameState.WAITING)
    if waiting.exists():
        _stop_at_certain_failure(job)
        _stop_at_stillborn_batches(job)
    drop_idle_batches(job)


def _decide_failures(job: Job) -> None:
    """Decide on failed tries that a process left undecided when it died."""
    for frame in job.frames.filter(state=FrameState.SOFT_FAILED):
        again = frame.tries < job.max_tries
        if again:
            transition(frame, FrameState.WAITING, batch=None)
        else:
            transition(frame, FrameState.FAILED)


def _stop_at_certain_failure(job: Job) -> None:
    """Cancel the frames of a scene that fails for certain, while nothing is rendered."""
    if job.frames.filter(state__in=[FrameState.RENDERED, FrameState.SYNCED]).exists():
        return
    adapter = ADAPTERS[job.renderer]
    for frame in job.frames.filter(state=FrameState.FAILED).order_by("number"):
        if adapter.is_fatal(frame.error):
            transition_all(job.frames.filter(state=FrameState.WAITING), FrameState.CANCELLED, job)
            Event.note(job, "given up", f"frame {frame.number}: {frame.error}", Event.Level.ERROR, frame=frame)
            return


def _stop_at_stillborn_batches(job: Job) -> None:
    """Fail a job whose last batches all ended before their client began."""
    # One whose submission got no answer says nothing about the next.
    batches = job.batches.exclude(state=BatchState.LOST, native_id=None)
    if job.retried:
        batches = batches.filter(created__gt=job.retried)
    last = list(batches.order_by("-pk")[:MAX_STILLBORN])
    ended = (BatchState.FINISHED, BatchState.LOST)
    if len(last) == MAX_STILLBORN and all(batch.state in ended and not batch.native_client_id for batch in last):
        fail_job(job, f"{MAX_STILLBORN} batches in a row came to nothing; the last: {last[0].state_reason}")


def _conclude(job: Job) -> None:
    """Derive the job's state from its frames."""
    job.refresh_from_db()
    counts = job.frame_counts()
    if any(counts[state] for state in UNFINISHED):
        if job.state == JobState.STAGING_OUT:
            transition(job, JobState.ACTIVE)
        return
    for state in (JobState.ACTIVE, JobState.STAGING_OUT):
        if job.state in (JobState.READY, JobState.ACTIVE) and job.state != state:
            transition(job, state)
    if not counts[FrameState.RENDERED]:
        close(job)


def _release_workspaces() -> None:
    """Release the workspaces of jobs that are over, once nothing uses them.

    A PENDING one may exist all the same: the answer to its allocation was lost.
    """
    rows = Workspace.objects.filter(job__state__in=JOB_FINAL)
    for row in rows.filter(state__in=[WorkspaceState.PENDING, WorkspaceState.ALLOCATED]).select_related("job"):
        batches = row.job.batches.exclude(state__in=BATCH_FINAL)
        # one that waits for another try gets none
        transfers = row.job.transfers.filter(state__in=[TransferState.RUNNING, TransferState.VERIFYING])
        if not batches.exists() and not transfers.exists():
            with transaction.atomic():
                # locked, because its owner may have it tried again at this moment
                if Job.objects.locked(row.job_id).is_final:
                    transition(row, WorkspaceState.RELEASING)
    for pk in Workspace.objects.filter(state=WorkspaceState.RELEASING).values_list("pk", flat=True):
        enqueue("release_workspace", pk)
