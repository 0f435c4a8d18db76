"""Workspaces: allocated for a scene, extended while needed, released afterwards."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster import workspace as ws
from raycrafter.cluster.errors import InfrastructureError, RemoteError
from raycrafter.dispatch import enqueue
from raycrafter.jobs import holds
from raycrafter.jobs.closing import fail_job
from raycrafter.jobs.models import Event, Workspace
from raycrafter.jobs.notifications import job_url, notify, notify_operators
from raycrafter.jobs.states import JOB_FINAL, FrameState, JobState, WorkspaceState
from raycrafter.jobs.transitions import transition

from . import left_logs
from .common import cluster, pauses, remote

logger = logging.getLogger(__name__)

SOURCE = "workspace"
PAUSE = 60.0  # seconds after a refusal of the site
# ws_list shows whole hours, so the same end is seen up to an hour earlier or later.
BLUR = timedelta(hours=2)
EXTENDED = "extension"  # the kind of its events


@app.task(name="raycrafter.tasks.ensure_workspace")
def ensure_workspace(workspace_id: int) -> None:
    """Allocate a PENDING workspace, with directories for scene, work and frames."""
    row = Workspace.objects.select_related("job").filter(pk=workspace_id, state=WorkspaceState.PENDING).first()
    if row is None or row.job.is_final or ("workspace", row.pk) in pauses:
        return
    try:
        lease = ws.ensure(remote(), row.name, cluster().workspace_days, timezone.now())
    except InfrastructureError as error:
        holds.hold(row.job, SOURCE, str(error))
        return
    except RemoteError as error:
        pauses.set(("workspace", row.pk), PAUSE)
        holds.hold(row.job, SOURCE, str(error))
        return
    holds.release(row.job, SOURCE)
    fields = {"path": lease.path, "expires": lease.expires, "extensions_left": lease.extensions}
    if transition(row, WorkspaceState.ALLOCATED, **fields):
        enqueue("plan")


def lasts(row: Workspace, seconds: int) -> bool:
    """Whether the workspace outlives ``seconds`` from now; extend it if it would not.

    Raises as the cluster does.
    """
    needed = timezone.now() + timedelta(seconds=seconds)
    if row.expires and row.expires >= needed:
        return True
    lease = ws.find(remote(), row.name, timezone.now())
    if lease and lease.expires < needed:
        with contextlib.suppress(RemoteError):  # no extensions are left
            ws.extend(remote(), row.name, cluster().workspace_days)
        lease = ws.find(remote(), row.name, timezone.now())
    if lease is None:
        return False
    Workspace.objects.filter(pk=row.pk).update(expires=lease.expires, extensions_left=lease.extensions)
    return lease.expires >= needed


@app.task(name="raycrafter.tasks.extend_workspace")
def extend_workspace(workspace_id: int) -> None:
    """Extend a workspace on request; the cluster's answer becomes an event of the job."""
    row = Workspace.objects.select_related("job").filter(pk=workspace_id).exclude(extension_asked_by="").first()
    if row is None:
        return
    by, level = row.extension_asked_by, Event.Level.INFO
    try:
        _extend(row)
        text = f"extended until {row.expires:%Y-%m-%d %H:%M} UTC, asked for by {by}"
    except InfrastructureError as error:
        holds.hold(row.job, SOURCE, str(error))
        return  # the next tick tries again
    except RemoteError as error:
        text, level = f"{by} asked for an extension, which the site refuses: {error}", Event.Level.WARNING
    holds.release(row.job, SOURCE)
    if Workspace.objects.filter(pk=row.pk, extension_asked_by=by).update(extension_asked_by=""):
        Event.note(row.job, EXTENDED, text, level)


def _extend(row: Workspace) -> None:
    """Extend by the days that the cluster grants, and record the new end.

    Raises as the cluster does.
    """
    ws.extend(remote(), row.name, cluster().workspace_days)
    lease = ws.find(remote(), row.name, timezone.now())
    if lease is None:
        raise RemoteError(f"ws_list {row.name}", 0, "it was extended but is not listed")
    row.expires, row.extensions_left = lease.expires, lease.extensions
    row.save(update_fields=["expires", "extensions_left"])


@app.task(name="raycrafter.tasks.watch_workspaces")
def watch_workspaces() -> None:
    """Compare with ws_list: notify owners, extend or expire what has come to its end."""
    rows = Workspace.objects.filter(state=WorkspaceState.ALLOCATED).exclude(job__state__in=JOB_FINAL)
    rows = list(rows.select_related("job__owner"))
    try:
        listed = ws.listed(remote(), timezone.now()) if rows else {}
    except (InfrastructureError, RemoteError) as error:
        logger.warning("workspaces could not be looked at: %s", error)
        return
    now = timezone.now()
    for row in rows:
        lease = listed.get(row.name)
        if lease:
            if row.expires is None or abs(lease.expires - row.expires) > BLUR:
                row.expires = lease.expires
            row.extensions_left = lease.extensions
            row.save(update_fields=["expires", "extensions_left"])
            _warn(row, now)
        elif row.expires and row.expires < now:
            transition(row, WorkspaceState.EXPIRED)
    _fail_expired()


def _fail_expired() -> None:
    """Fail jobs that have frames to render and no workspace.

    A job that is being staged gets a new one by itself.
    """
    rendering = (JobState.READY, JobState.ACTIVE, JobState.STAGING_OUT)
    for row in Workspace.objects.filter(state=WorkspaceState.EXPIRED, job__state__in=rendering).select_related("job"):
        if row.job.frames.filter(state=FrameState.WAITING).exists():
            fail_job(row.job, f"workspace {row.name} has expired; retry the job to render what is missing in a new one")


def _warn(row: Workspace, now: datetime) -> None:
    """Notify the owner once at each lead time; at the shortest one extend first.

    Leads as long as the whole workspace are left out.
    """
    leads = [lead for lead in sorted(cluster().workspace_warn_days) if lead < cluster().workspace_days]
    lead = next((lead for lead in leads if row.expires - now <= timedelta(days=lead)), None)
    if lead is None:
        return
    refusal = ""
    # A site may grant less than the lead: its extensions are not to be used up in hours.
    lately = row.job.events.filter(kind=EXTENDED, time__gt=now - timedelta(days=lead) / 2)
    if lead == leads[0] and not lately.exists():
        try:
            _extend(row)
            text = f"extended until {row.expires:%Y-%m-%d %H:%M} UTC, because the job still needs it"
            Event.note(row.job, EXTENDED, text)
            return
        except (InfrastructureError, RemoteError) as error:
            refusal = f"It could not be extended: {error}\n"
    job, until = row.job, f"{row.expires:%Y-%m-%d %H:%M} UTC"
    extensions = "unknown" if row.extensions_left is None else row.extensions_left
    text = f"Workspace {row.name} of job {job.pk} ({job.name}) expires at {until}. Extensions left: {extensions}.\n"
    text += f"{refusal}Frames that are not fetched by then are lost; the job can be retried.\n\n{job_url(job)}\n"
    said = (
        "workspace",
        f"{lead}:{row.expires.isoformat()}",
        f"Workspace of job {job.pk} expires at {until}",
        text,
        job,
    )
    notify(job.owner, *said)
    if refusal:
        notify_operators(*said)


@app.task(name="raycrafter.tasks.release_workspace")
def release_workspace(workspace_id: int) -> None:
    """Release a RELEASING workspace, so that the cluster may delete it.

    Unsent client logs are recovered first, one client's at a tick: other commands get their turn in between.
    """
    row = Workspace.objects.select_related("job").filter(pk=workspace_id, state=WorkspaceState.RELEASING).first()
    if row is None or ("workspace", row.pk) in pauses:
        return
    try:
        if left_logs.log_one(remote(), row.path):
            return
        ws.release(remote(), row.name)
    except (InfrastructureError, RemoteError) as error:
        # The job is over, whatever becomes of its directory: the reason is the workspace's own.
        pauses.set(("workspace", row.pk), PAUSE)
        Workspace.objects.filter(pk=row.pk).update(state_reason=str(error)[:2000])
        return
    transition(row, WorkspaceState.RELEASED, state_reason="")
