"""The site's batch system to the render manager: its commands as lines for the login node's shell, and its answers."""

from __future__ import annotations

import shlex

from .batch_answers import ANSWERS
from .batch_listing import Listing
from .batch_reply import AnswerError, Refused, Reply, Submitted
from .errors import PollError

# Marks where the answer begins, because a login shell may have printed something before; what it prints on stderr is
# then its own, too.
MARK = "raycrafter-listing:"


class Scheduler:
    """One kind of batch system. ``submit`` takes a script's name, ``cancel`` a job id as "$1", ``list`` nothing."""

    def __init__(self, answers: str) -> None:
        """``answers`` is a key of ``ANSWERS``. Raises ValueError for another."""
        if answers not in ANSWERS:
            raise ValueError(f"cluster.answers: {answers!r} is unknown; use one of {', '.join(ANSWERS)}")
        self._system = ANSWERS[answers]
        commands = self._system.commands
        user = ' "$(id -un)"' if commands.by_user else ""
        self.submit = shlex.join(commands.submit)
        self.cancel = f'{shlex.join(commands.cancel)} "$1"'
        self.list = f"echo {MARK}; {shlex.join(commands.listing)}{user} 2>&1"

    def submitted(self, reply: Reply) -> Submitted | Refused:
        """What qsub answered."""
        return self._system.submitted(reply)

    def listed(self, reply: Reply) -> Listing:
        """The jobs in a listing, by number; ``reply`` is its own, or that of ``list``.

        Raises PollError when the answer is not a whole listing.
        """
        _, mark, answer = reply.stdout.partition(f"{MARK}\n")
        try:
            return self._system.listed(Reply(reply.code, answer, "") if mark else reply)
        except AnswerError as error:
            raise PollError(str(error)) from error

    def deleted(self, reply: Reply) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        return self._system.deleted(reply)
