"""Messages to Celery tasks, sent by name.

A process that sends one loads neither the tasks nor the way to the cluster.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from raycrafter.celery import app

logger = logging.getLogger(__name__)

EXPIRES = 60  # seconds a message may wait; the next tick sends another


def enqueue(task: str, *arguments: Any) -> None:
    """Send a message to a task, after the running transaction if any. Never raises."""
    if app.conf.task_always_eager:
        return  # development has no workers, and a request must not do a task's work

    def send() -> None:
        try:
            app.send_task(f"raycrafter.tasks.{task}", arguments, expires=EXPIRES, retry=False)
        except Exception as error:  # brokers fail in the words of three libraries; a request survives each
            logger.warning("the broker did not take %s, the next tick will: %s", task, error)

    transaction.on_commit(send)


def nudge() -> None:
    """Run the planner after the transaction instead of at the next tick.

    Never raises: with the broker down, the next tick runs it.
    """
    enqueue("plan")
