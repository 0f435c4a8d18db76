"""How a site's batch system answers. One entry of ``ANSWERS`` per kind; nothing is guessed from an answer's looks.

The same exit code means different things to different systems (35 is "finished" to PBS Pro and "busy" to Torque), hence
one table of codes for each. Tables: the systems' own error lists; tests read recorded sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from .errors import PollError
from .process import Result

# Marks where the answer begins, because a login shell may have printed something before; what it prints on stderr is
# then its own, too.
MARK = "raycrafter-listing:"
LIST = f"echo {MARK}; qstat 2>&1"


class Verdict(Enum):
    """What an error code says about what was asked."""

    GONE = "the job is not known: it ended or never was"
    BUSY = "not now: nothing was done, ask again"
    LIMIT = "too many jobs are queued: nothing was done, ask again later"
    DOUBT = "it may have been done or not"
    FATAL = "refused: asking again gets the same answer"


class Phase(Enum):
    """Where a job is, as far as the batch system's letter tells."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class Submitted:
    """qsub took the job."""

    native_id: str


@dataclass(frozen=True)
class Refused:
    """qsub's answer when there is no job id; ``verdict`` is BUSY, LIMIT, DOUBT or FATAL, ``text`` is its own."""

    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Seen:
    """One job in a listing; ``number`` is the id's numeric part, because listings cut the server's name."""

    number: str
    name: str
    phase: Phase


_WAITING, _RUNNING, _ENDED = Phase.WAITING, Phase.RUNNING, Phase.ENDED

# E(xiting) is not ended: the program may still write. U is Slurm's wrapper's word for states in between.
_TORQUE_STATES = {**dict.fromkeys("QHWT", _WAITING), **dict.fromkeys("RES", _RUNNING)}


@dataclass(frozen=True)
class Answers:
    """One kind of batch system: its job ids, its letters for states, its exit codes, its ways."""

    native_id: re.Pattern[str]
    states: Mapping[str, Phase]
    codes: Mapping[int, Verdict]
    # Texts that decide where the exit code says nothing; the first that is found counts.
    texts: Sequence[tuple[re.Pattern[str], Verdict]] = ()
    # What qstat exits with, without a word, when there is no job at all.
    empty_code: int = 0
    # What qdel exits with, without a word, for a job that is not there (any more).
    gone_silently: int | None = None


def _codes(verdicts: Mapping[Verdict, Sequence[int]]) -> dict[int, Verdict]:
    return {code: verdict for verdict, codes in verdicts.items() for code in codes}


ANSWERS: dict[str, Answers] = {
    "torque": Answers(
        native_id=re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+"),
        states={**_TORQUE_STATES, "C": _ENDED},
        codes=_codes(
            {
                Verdict.GONE: [153, 170],  # unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [29, 30, 35, 173],  # server not found, busy, login busy; credential
                Verdict.LIMIT: [200, 228],
                Verdict.DOUBT: [164, 185, 237],  # system, protocol, timeout
                Verdict.FATAL: [159, 166, 172, 175, 176, 189, 190, 203],
            }
        ),
    ),
    "pbspro": Answers(
        native_id=re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+"),
        states={**_TORQUE_STATES, "B": _RUNNING, "U": _RUNNING, "M": _RUNNING, "F": _ENDED, "X": _ENDED},
        codes=_codes(
            {
                Verdict.GONE: [35, 153, 168],  # finished; unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [171],  # credential
                Verdict.LIMIT: [38, 198],
                Verdict.DOUBT: [162, 183],  # system, protocol
                Verdict.FATAL: [159, 166, 170, 173, 174, 187, 188, 201],
            }
        ),
    ),
    # Slurm behind its Torque wrappers: sbatch's words, exit 1 for everything.
    "slurm_torque": Answers(
        native_id=re.compile(r"[0-9]+"),
        states={"Q": _WAITING, "R": _RUNNING, "S": _RUNNING, "U": _RUNNING, "C": _ENDED},
        codes={153: Verdict.GONE},
        texts=(
            (re.compile(r"timed out|Zero Bytes were transmitted|Message receive failure"), Verdict.DOUBT),
            (re.compile(r"Unable to contact slurm controller|temporarily disabled"), Verdict.BUSY),
            (re.compile(r"SubmitJob|SubmitLimit|MaxSubmit|temporarily unable to accept job"), Verdict.LIMIT),
        ),
        empty_code=153,
        gone_silently=1,
    ),
}

_LISTED = re.compile(
    r"(?P<number>[0-9]+)(?:\[[0-9]*\])?(?:\.\S*)?\s+(?P<name>\S.*?)\s+\S+\s+(?:[0-9:]+|-|--)\s+(?P<state>[A-Z])\s+\S+"
)


def number(native_id: str) -> str:
    """The numeric part of a job id, which is what listings and ids from inside the job (``0:123.server``) share."""
    found = re.match(r"(?:[0-9]+:)?([0-9]+)", native_id)
    return found[1] if found else ""


class Scheduler:
    """The answers of one kind of batch system."""

    def __init__(self, answers: str) -> None:
        """``answers`` is a key of ``ANSWERS``. Raises ValueError for another."""
        if answers not in ANSWERS:
            raise ValueError(f"cluster.answers: {answers!r} is unknown; use one of {', '.join(ANSWERS)}")
        self._answers = ANSWERS[answers]

    def submitted(self, result: Result) -> Submitted | Refused:
        """What qsub answered. Only a last line that is a job id, with exit 0, is a job: warnings may come before it."""
        text = "\n".join(part.strip() for part in (result.stderr, result.stdout) if part.strip())
        if result.code == 0:
            lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
            if lines and self._answers.native_id.fullmatch(lines[-1]):
                return Submitted(lines[-1])
            return Refused(Verdict.DOUBT, text or "qsub said nothing")
        verdict = self._verdict(result.code, text, Verdict.FATAL)
        return Refused(verdict if verdict is not Verdict.GONE else Verdict.FATAL, text or f"qsub: exit {result.code}")

    def listed(self, result: Result) -> dict[str, Seen]:
        """The jobs in a plain ``qstat``, by number; ``result`` is its own, or that of ``LIST``.

        Raises PollError when the answer is not a whole listing.
        """
        _, mark, answer = result.stdout.partition(f"{MARK}\n")
        if mark:
            result = Result(result.code, answer, "")
        # Not splitlines(): other people's job names may hold what it takes for the end of a line.
        lines = [line.rstrip() for line in result.stdout.split("\n")]
        header = next((at for at, line in enumerate(lines) if re.match(r"Job (id|ID)\s+Name\s", line)), None)
        if header is None:
            silent = not result.stdout.strip() and not result.stderr.strip()
            if silent and result.code == self._answers.empty_code:
                return {}
            raise PollError(f"qstat ended with {result.code} and no listing: {_excerpt(result)}")
        if result.code != 0:
            raise PollError(f"qstat ended with {result.code}, its listing may lack jobs: {_excerpt(result)}")
        seen: dict[str, Seen] = {}
        for line in lines[header + 1 :]:
            # Other people's job names may hold anything; what does not fit is not one of ours.
            if match := _LISTED.fullmatch(line):
                # A letter that is not in the table says that the job is there, and no more.
                phase = self._answers.states.get(match["state"], Phase.RUNNING)
                seen[match["number"]] = Seen(match["number"], match["name"], phase)
        return seen

    def deleted(self, result: Result) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        text = "\n".join(part.strip() for part in (result.stderr, result.stdout) if part.strip())
        if result.code == 0 or (not text and result.code == self._answers.gone_silently):
            return None
        verdict = self._verdict(result.code, text, Verdict.BUSY)
        return None if verdict is Verdict.GONE else Refused(verdict, text or f"qdel ended with {result.code}")

    def _verdict(self, code: int, text: str, default: Verdict) -> Verdict:
        for pattern, verdict in self._answers.texts:
            if pattern.search(text):
                return verdict
        return self._answers.codes.get(code, default)


def _excerpt(result: Result) -> str:
    return " ".join((result.stderr or result.stdout).split())[:300] or "it said nothing"
