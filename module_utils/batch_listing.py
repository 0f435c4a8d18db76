"""Listings: the jobs in a plain ``qstat``, of Torque, of PBS Pro and of Slurm's wrapper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from .batch_reply import AnswerError, Phase, Reply, Seen, excerpt, number, same_user


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
        self._refuse(lambda line: name in line.split() or re.match(rf"\s*{wanted}\b", line))
        return None

    def named(self, name: str, user: str | None = None) -> list[Seen]:
        """The jobs of this name, of one user or of all. Raises AnswerError when a line that cannot be read may be one
        of them."""
        self._refuse(lambda line: any(word == name or (user and same_user(word, user)) for word in line.split()))
        return [seen for seen in self.values() if seen.name == name and (not user or same_user(seen.user, user))]

    def _refuse(self, mentions: Callable[[str], object]) -> None:
        for line in self.unreadable:
            if mentions(line):
                raise AnswerError(f"a line of the listing that may be the job's cannot be read: {line.strip()[:120]!r}")


_HEADER = re.compile(r"Job (id|ID)\s+Name\s")
_RULE = re.compile(r"(?P<id>-+) +(-+ +){3}(?P<state>-) +-+")
_LISTED = re.compile(
    r"(?P<id>(?P<short>(?P<number>[0-9]+)(?:\[[0-9]*\])?)(?:\.\S*)?)\s+(?P<name>\S.*?)\s+(?P<user>\S+)"
    r"\s+(?:[0-9:]+|-|--)\s+(?P<state>[A-Z])\s+\S+"
)


def qstat_listing(reply: Reply, states: Mapping[str, Phase], empty_code: int) -> Listing:
    """Plain qstat: a header, a rule, one line for each job with its columns where the rule has them.

    ``empty_code`` is what it exits with, without a word, when there is no job. Raises AnswerError when the answer is
    not a whole listing."""
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
    rule = _RULE.fullmatch(lines[header + 1]) if header + 1 < len(lines) else None
    rows = [line for line in lines[header + 2 :] if line]
    # Without jobs there is no header either; a last line without an end was cut short.
    if rule is None or not rows or not reply.stdout.endswith("\n"):
        raise AnswerError(f"qstat's listing is cut short: {excerpt(reply)}")
    seen, unreadable = [], []
    for row in rows:
        match = _LISTED.fullmatch(row)
        # A row that something was written into has its columns elsewhere; so has one of Torque's with a wide id.
        if match and 0 <= match.start("state") - rule.start("state") <= max(0, len(match["id"]) - len(rule["id"])):
            # A letter that is not in the table says that the job is there, and no more.
            phase = states.get(match["state"], Phase.RUNNING)
            seen.append(Seen(match["number"], match["name"], phase, match["user"], match["short"]))
        else:
            unreadable.append(row)
    return Listing(seen, unreadable)
