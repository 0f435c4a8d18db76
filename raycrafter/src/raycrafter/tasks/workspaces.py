"""Workspaces: allocated before a scene is sent, given back when a job is over."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster import workspace as ws
from raycrafter.cluster.errors import InfrastructureError, RemoteError
from raycrafter.jobs.models import Workspace
from raycrafter.jobs.states import WorkspaceState, move

from .common import cluster, enqueue, note_trouble, pauses, remote, trouble_over

SOURCE = "workspace"
PAUSE = 60.0  # seconds after a refusal of the site


@app.task(name="raycrafter.tasks.ensure_workspace")
def ensure_workspace(workspace_id: int) -> None:
    """PENDING to ALLOCATED: the directory is there, with the places for scene, work and frames in it."""
    row = Workspace.objects.select_related("job").filter(pk=workspace_id, state=WorkspaceState.PENDING).first()
    if row is None or row.job.is_final or ("workspace", row.pk) in pauses:
        return
    try:
        lease = ws.ensure(remote(), row.name, cluster().workspace_days, timezone.now())
    except InfrastructureError as error:
        note_trouble(row.job, SOURCE, str(error))
        return
    except RemoteError as error:
        pauses.set(("workspace", row.pk), PAUSE)
        note_trouble(row.job, SOURCE, str(error))
        return
    trouble_over(row.job, SOURCE)
    fields = {"path": lease.path, "expires": lease.expires, "extensions_left": lease.extensions}
    if move(row, WorkspaceState.ALLOCATED, **fields):
        enqueue("schedule")


def lasts(row: Workspace, seconds: int) -> bool:
    """Whether the workspace outlives ``seconds`` from now; extends it when it would not. Raises as the cluster does."""
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


@app.task(name="raycrafter.tasks.release_workspace")
def release_workspace(workspace_id: int) -> None:
    """RELEASING to RELEASED: the site may delete the directory."""
    row = Workspace.objects.select_related("job").filter(pk=workspace_id, state=WorkspaceState.RELEASING).first()
    if row is None or ("workspace", row.pk) in pauses:
        return
    try:
        ws.release(remote(), row.name)
    except (InfrastructureError, RemoteError) as error:
        # The job is over, whatever becomes of its directory: the reason is the workspace's own.
        pauses.set(("workspace", row.pk), PAUSE)
        Workspace.objects.filter(pk=row.pk).update(state_reason=str(error)[:2000])
        return
    move(row, WorkspaceState.RELEASED, state_reason="")
