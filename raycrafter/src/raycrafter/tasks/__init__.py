"""The work that is not done in a request. Every task takes ids, reads the state anew, and does nothing when it is done.

``schedule`` decides (queue ``default``); ``submit_batch``, ``poll_site``, ``cancel_batch`` and the tasks of workspaces
speak ssh (queue ``ssh``, one at a time); ``push_input`` and ``pull_output`` move files (queue ``transfer``); ``reap``
looks for batches whose client has fallen silent, ``measure_queues`` how long the queues are, ``look_at_proxy`` how long
the grid proxy lasts, ``look_for_trouble`` for what needs a person; ``send_notifications`` tells people, ``retain``
deletes what is old.
"""

from .deletion import cancel_batch
from .holds import look_for_trouble
from .notifications import send_notification, send_notifications
from .planning import schedule
from .polling import poll_site
from .proxy import look_at_proxy
from .queues import measure_queues
from .retention import retain
from .submission import submit_batch
from .timeouts import reap
from .transfers import pull_output, push_input
from .workspaces import ensure_workspace, extend_workspace, release_workspace, watch_workspaces

__all__ = [
    "cancel_batch",
    "ensure_workspace",
    "extend_workspace",
    "look_at_proxy",
    "look_for_trouble",
    "measure_queues",
    "poll_site",
    "pull_output",
    "push_input",
    "reap",
    "release_workspace",
    "retain",
    "schedule",
    "send_notification",
    "send_notifications",
    "submit_batch",
    "watch_workspaces",
]
