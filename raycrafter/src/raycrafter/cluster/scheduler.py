"""The site's batch system to the render manager: ``batch_answers`` with the results and errors of this package."""

from __future__ import annotations

from . import batch_answers
from .batch_answers import AnswerError, Listing, Refused, Reply, Submitted
from .errors import PollError
from .process import Result

# Marks where the answer begins, because a login shell may have printed something before; what it prints on stderr is
# then its own, too.
MARK = "raycrafter-listing:"
LIST = f"echo {MARK}; qstat 2>&1"

# The render manager speaks qsub, qstat and qdel only.
ANSWERS = {kind: system for kind, system in batch_answers.ANSWERS.items() if system.commands.listing == ("qstat",)}


class Scheduler:
    """The answers of one kind of batch system with qsub, qstat and qdel."""

    def __init__(self, answers: str) -> None:
        """``answers`` is a key of ``ANSWERS``. Raises ValueError for another."""
        if answers not in ANSWERS:
            raise ValueError(f"cluster.answers: {answers!r} is unknown; use one of {', '.join(ANSWERS)}")
        self._system = ANSWERS[answers]

    def submitted(self, result: Result) -> Submitted | Refused:
        """What qsub answered."""
        return self._system.submitted(_reply(result))

    def listed(self, result: Result) -> Listing:
        """The jobs in a plain ``qstat``, by number; ``result`` is its own, or that of ``LIST``.

        Raises PollError when the answer is not a whole listing.
        """
        _, mark, answer = result.stdout.partition(f"{MARK}\n")
        reply = Reply(result.code, answer, "") if mark else _reply(result)
        try:
            return self._system.listed(reply)
        except AnswerError as error:
            raise PollError(str(error)) from error

    def deleted(self, result: Result) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        return self._system.deleted(_reply(result))


def _reply(result: Result) -> Reply:
    return Reply(result.code, result.stdout, result.stderr)
