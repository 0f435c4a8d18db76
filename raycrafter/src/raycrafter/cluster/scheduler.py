"""The site's batch system to the render manager: its commands as lines for the login node's shell, and its answers."""

from __future__ import annotations

import shlex

from .batch.listing import Listing
from .batch.registry import SCHEDULERS
from .batch.reply import AnswerError, Ending, Job, Refused, Reply, Seen, Submitted
from .errors import PollError

# Marks where the answer begins, because a login shell may have printed something before; what it prints on stderr is
# then its own, too.
MARK = "raycrafter-listing:"
# Longest submission, seconds: sbatch repeats one for two minutes while the queue is full. timeout(1) ends it on the
# login node, with what it started, before ssh's own limit leaves it behind there.
SUBMIT_TIMEOUT, KILL_AFTER = 30, 5


class Scheduler:
    """One kind of batch system. ``submit`` takes a script's name, ``cancel`` and ``status`` a job id as "$1", ``list``
    nothing."""

    def __init__(self, scheduler: str) -> None:
        """Take a key of ``SCHEDULERS``. Raises ValueError for another."""
        if scheduler not in SCHEDULERS:
            raise ValueError(f"cluster.scheduler: {scheduler!r} is unknown; use one of {', '.join(SCHEDULERS)}")
        self._system = SCHEDULERS[scheduler]
        commands = self._system.commands
        user = ' "$(id -un)"' if commands.by_user else ""
        self.submit = shlex.join(["timeout", "-k", str(KILL_AFTER), str(SUBMIT_TIMEOUT), *commands.submit])
        self.cancel = f'{shlex.join(commands.cancel)} "$1"'
        self.list = f"echo {MARK}; {shlex.join(commands.listing)}{user} 2>&1"
        # The history tells of ended jobs; Torque keeps them in its queue.
        self._asked = commands.history or commands.status
        self.status = f'echo {MARK}; {shlex.join(self._asked.words)} "$1" 2>&1'

    def submitted(self, reply: Reply) -> Submitted | Refused:
        """What qsub answered."""
        return self._system.submitted(reply)

    def listed(self, reply: Reply) -> Listing:
        """The jobs in a listing, by number; ``reply`` is its own, or that of ``list``.

        Raises PollError when the answer is not a whole listing.
        """
        try:
            return self._system.listed(_after_mark(reply))
        except AnswerError as error:
            raise PollError(str(error)) from error

    def job(self, reply: Reply, native_id: str) -> Job | None:
        """Return one job's full status from the answer to ``status``; None when the scheduler does not know the job.

        Raises AnswerError when the answer cannot be read."""
        return self._system.status(_after_mark(reply), native_id, self._asked)

    def is_stuck(self, seen: Seen) -> bool:
        """Return whether a listed job waits for a person: by itself it never starts."""
        return self._system.is_stuck(seen)

    def ending(self, state: str, exit_status: int | None) -> Ending:
        """Return what the scheduler says of how a job ended."""
        return self._system.ending(state, exit_status)

    def deleted(self, reply: Reply) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        return self._system.deleted(reply)


def _after_mark(reply: Reply) -> Reply:
    """The answer without what a login shell printed before it."""
    _, mark, answer = reply.stdout.partition(f"{MARK}\n")
    return Reply(reply.code, answer, "") if mark else reply
