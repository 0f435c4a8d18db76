"""Celery's tasks. Every task takes ids, reads the state anew, and does nothing when the work is done.

Queue ``default``: ``plan`` runs the planner; ``check_timeouts`` cancels batches whose compute client has timed out;
``notify_holds``, ``send_notifications`` and ``send_notification`` notify; ``apply_retention`` deletes; ``check_proxy``
and ``measure_queues`` measure. Queue ``ssh``, one at a time: ``submit_batch``, ``poll_cluster``, ``cancel_batch`` and
the tasks of workspaces. Queue ``transfer``: ``push_input`` and ``pull_output``.
"""

from .deletion import cancel_batch
from .holds import notify_holds
from .notifications import send_notification, send_notifications
from .planning import plan
from .polling import poll_cluster
from .proxy import check_proxy
from .queues import measure_queues
from .retention import apply_retention
from .submission import submit_batch
from .timeouts import check_timeouts
from .transfers import pull_output, push_input
from .workspaces import ensure_workspace, extend_workspace, release_workspace, watch_workspaces

__all__ = [
    "apply_retention",
    "cancel_batch",
    "check_proxy",
    "check_timeouts",
    "ensure_workspace",
    "extend_workspace",
    "measure_queues",
    "notify_holds",
    "plan",
    "poll_cluster",
    "pull_output",
    "push_input",
    "release_workspace",
    "send_notification",
    "send_notifications",
    "submit_batch",
    "watch_workspaces",
]
