"""Listings: the jobs in a plain ``qstat`` of Torque, PBS Pro and Slurm's wrapper, or in ``squeue``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .reply import AnswerError, Phase, Reply, Seen, excerpt, number, same_user


class Listing(dict):
    """The jobs in a listing by number, and the lines that could not be read as a job (names may hold anything)."""

    def __init__(self, jobs: Iterable[Seen], unreadable: Sequence[str] = ()) -> None:
        super().__init__((job.number, job) for job in jobs)
        self.unreadable = unreadable

    def find(self, native_id: str, name: str) -> Seen | None:
        """The job with this id and name: numbers come again when a batch system is set up anew.

        Raises AnswerError when it is not there, but a line that cannot be read mentions it."""
        wanted = number(native_id)
        seen = self.get(wanted)
        if seen and seen.name == name:
            return seen
        self._refuse(lambda line: name in _words(line) or re.match(rf"\s*{wanted}\b", line))
        return None

    def named(self, name: str, user: str | None = None) -> list[Seen]:
        """The jobs of this name, of one user or of all. Raises AnswerError when a line that cannot be read may be one
        of them."""
        self._refuse(lambda line: any(word == name or (user and same_user(word, user)) for word in _words(line)))
        return [seen for seen in self.values() if seen.name == name and (not user or same_user(seen.user, user))]

    def _refuse(self, mentions: Callable[[str], object]) -> None:
        for line in self.unreadable:
            if mentions(line):
                raise AnswerError(f"a line of the listing that may be the job's cannot be read: {line.strip()[:120]!r}")


def _words(line: str) -> list[str]:
    return re.split(r"[\s|]+", line)


@dataclass(frozen=True)
class Columns:
    """Where a plain qstat prints the columns of a row, in bytes, by the printf format in its source.

    Its header may have other widths: Torque's rule has 25 dashes over a column of 26. A job id wider than ``id_width``
    moves the columns behind it; ``state`` is the offset of the state's letter."""

    id_width: int
    state: int


_HEADER = re.compile(r"Job (id|ID)\s+Name\s")
_RULE = re.compile(r"-+(?: +-+){5}")
_LISTED = re.compile(
    r"(?P<id>(?P<short>(?P<number>[0-9]+)(?:\[[0-9]*\])?)(?:\.\S*)?)\s+(?P<name>\S.*?)\s+(?P<user>\S+)"
    r"\s+(?:[0-9:]+|-|--)\s+(?P<state>[A-Z])\s+\S+",
    re.ASCII,
)


def qstat_listing(
    reply: Reply, states: Mapping[str, Phase], empty_code: int, columns: Columns, reasons: Mapping[str, str]
) -> Listing:
    """Read a plain qstat: a header, a rule, one row for each job.

    ``empty_code`` is its exit code, without a word, when there is no job; ``reasons`` are what letters of states say
    beyond their phase. Raises AnswerError when the answer is not a whole listing."""
    # Not splitlines(): other people's job names may hold what it takes for the end of a line.
    lines = [line.rstrip() for line in reply.stdout.split("\n")]
    header = next((at for at, line in enumerate(lines) if _HEADER.match(line)), None)
    if header is None:
        silent = not reply.stdout.strip() and not reply.stderr.strip()
        if silent and reply.code == empty_code:
            return Listing([])
        raise AnswerError(f"qstat ended with {reply.code} and no listing: {excerpt(reply)}")
    if reply.code != 0:
        raise AnswerError(f"qstat ended with {reply.code}, its listing may lack jobs: {excerpt(reply)}")
    is_whole = header + 1 < len(lines) and _RULE.fullmatch(lines[header + 1])
    rows = [line for line in lines[header + 2 :] if line]
    # Without jobs there is no header either; a last line without an end was cut short.
    if not is_whole or not rows or not reply.stdout.endswith("\n"):
        raise AnswerError(f"qstat's listing is cut short: {excerpt(reply)}")
    seen, unreadable = [], []
    for row in rows:
        match = _LISTED.fullmatch(_bytewise(row))
        # The columns of a row that something was written into are elsewhere.
        if match and match.start("state") == columns.state + max(0, len(match["id"]) - columns.id_width):
            # A letter that is not in the table says that the job is there, and no more.
            phase = states.get(match["state"], Phase.RUNNING)
            name, user = _text(match["name"]), _text(match["user"])
            reason = reasons.get(match["state"], "")
            seen.append(Seen(match["number"], name, phase, user, match["short"], match["state"], reason))
        else:
            unreadable.append(row)
    return Listing(seen, unreadable)


def _bytewise(row: str) -> str:
    """Return ``row`` with one character for each byte that was printed: printf counts bytes, not letters."""
    return row.replace("\ufffd", "?").encode().decode("latin-1")


def _text(bytewise: str) -> str:
    return bytewise.encode("latin-1").decode(errors="replace")
