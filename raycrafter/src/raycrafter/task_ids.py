"""Log fields of a task: the ids it was called with, and its job's.

They are looked up once, before the task begins: a line costs no query, and a traceback has its job too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from celery import Task

FIELDS = "log_fields"

Ids = dict[str, Any]


class TracedTask(Task):
    """The tasks' class: it looks up a task's ids before the task begins.

    Not by the signal before a task: Celery closes the database's connections at that moment. ``find_job`` returns the
    id of the job that a task's ids belong to; the jobs' application sets it, as this module knows no models.
    """

    find_job: ClassVar[Callable[[Ids], Ids]] = staticmethod(lambda ids: {})

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Keep the ids with the request. Errors are left to the task itself."""
        with suppress(Exception):
            called_with = inspect.signature(self.run).bind_partial(*args, **kwargs).arguments
            ids = {name: value for name, value in called_with.items() if name.endswith("_id")}
            self.request.update({FIELDS: ids})
            self.request.update({FIELDS: self.find_job(ids) | ids})
