"""The job that a Celery task works for, found by the ids it is called with."""

from __future__ import annotations

from typing import Any

from .models import Batch, Notification, Transfer, Workspace

# Rows of a job by the name of the argument that a task is called with.
OF_A_JOB = {"batch_id": Batch, "transfer_id": Transfer, "workspace_id": Workspace, "notification_id": Notification}


def find_job(ids: dict[str, Any]) -> dict[str, Any]:
    """Return the id of the job that a row belongs to; nothing when there is none."""
    for name, model in OF_A_JOB.items():
        if name in ids:
            found = model.objects.filter(pk=ids[name]).values_list("job_id", flat=True).first()
            return {"job_id": found} if found else {}
    return {}
