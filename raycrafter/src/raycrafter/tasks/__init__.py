"""The work that is not done in a request. Every task takes ids, reads the state anew, and does nothing when it is done.

``schedule`` decides (queue ``default``); ``ensure_workspace``, ``submit_batch``, ``poll_site``, ``cancel_batch`` and
``release_workspace`` speak ssh (queue ``ssh``, one at a time); ``push_input`` and ``pull_output`` move files (queue
``transfer``); ``reap`` looks for batches whose client has fallen silent, ``measure_queues`` how long the queues are,
``look_at_proxy`` how long the grid proxy lasts.
"""

from .common import enqueue
from .deletion import cancel_batch
from .planning import schedule
from .polling import poll_site
from .proxy import look_at_proxy
from .queues import measure_queues
from .silence import reap
from .submission import submit_batch
from .transfers import pull_output, push_input
from .workspaces import ensure_workspace, release_workspace

__all__ = [
    "cancel_batch",
    "ensure_workspace",
    "look_at_proxy",
    "measure_queues",
    "nudge",
    "poll_site",
    "pull_output",
    "push_input",
    "reap",
    "release_workspace",
    "schedule",
    "submit_batch",
]


def nudge() -> None:
    """Something has changed: have the next step looked for once the transaction is through, not at the next tick.

    Never raises: with the broker down the tick does it later.
    """
    enqueue("schedule")
