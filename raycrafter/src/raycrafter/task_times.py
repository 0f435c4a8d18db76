"""How long tasks wait and run: one log line for every task that has come to its end.

The fields, besides ``_task`` and ``_task_id``: ``_state`` (Celery's word: SUCCESS, FAILURE, RETRY, REJECTED, IGNORED;
or INTERRUPTED when the process was stopped in the middle), ``_queue``, ``_seconds`` it ran, and ``_wait_seconds`` from
sending to starting. The level is INFO whatever the state: why a task failed is said once, by Celery itself, as an error
with the traceback. Messages that expire are dropped by the broker, which tells nobody.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task, signals

logger = logging.getLogger(__name__)

SENT = "sent"  # header: seconds since 1970, by the sender's clock


def connect() -> None:
    """Connect the signals, in processes that send tasks and in those that run them."""
    signals.before_task_publish.connect(_stamp)
    signals.task_prerun.connect(_begin)
    signals.task_postrun.connect(_end)


def _stamp(headers: dict[str, Any], **_: Any) -> None:
    headers[SENT] = time.time()


def _begin(task: Task, **_: Any) -> None:
    now = {"started": time.monotonic()}
    if sent := task.request.get(SENT):
        # hosts' clocks may differ by more than a short wait
        now["waited"] = max(0.0, time.time() - sent)
    task.request.update(now)


def _end(task: Task, state: str | None, **_: Any) -> None:
    state = state or "INTERRUPTED"
    fields = {
        "state": state,
        "seconds": round(time.monotonic() - task.request.started, 3),
        "queue": task.request.delivery_info["routing_key"],
    }
    if (waited := task.request.get("waited")) is not None:
        fields["wait_seconds"] = round(waited, 3)
    logger.info("%s: %s", task.name, state, extra=fields)
