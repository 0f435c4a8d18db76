"""What a task works on: the ids it was called with and its job's, as fields of every line that is logged meanwhile.

They are looked up once, before the task begins: a line costs no query, and has its job also when it is the traceback.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any

from celery import Task

FIELDS = "log_fields"
# Rows of a job by the name of the argument that a task is called with.
OF_A_JOB = {
    "batch_id": "Batch",
    "transfer_id": "Transfer",
    "workspace_id": "Workspace",
    "notification_id": "Notification",
}


class TracedTask(Task):
    """The tasks' class. Not the signal before a task: Celery closes the database's connections at that moment."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Keep the ids with the request. Whatever is wrong shows in the task itself, and in full."""
        with suppress(Exception):
            called_with = inspect.signature(self.run).bind_partial(*args, **kwargs).arguments
            ids = {name: value for name, value in called_with.items() if name.endswith("_id")}
            self.request.update({FIELDS: ids})
            self.request.update({FIELDS: _jobs(ids) | ids})


def _jobs(ids: dict[str, Any]) -> dict[str, Any]:
    """Return the id of the job that rows belong to."""
    from raycrafter.jobs import models

    for name, model in OF_A_JOB.items():
        if name in ids:
            found = getattr(models, model).objects.filter(pk=ids[name]).values_list("job_id", flat=True).first()
            return {"job_id": found} if found else {}
    return {}
