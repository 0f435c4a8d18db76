"""Read ``qstat``, plain and ``-f``, of Torque, PBS Pro and Slurm's wrapper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .listing import Listing
from .reply import AnswerError, Attributes, Phase, Reply, Seen, excerpt


@dataclass(frozen=True)
class Columns:
    """Byte offsets of a plain qstat's columns, by the printf format in its source.

    Headers may have other widths: Torque's rule has 25 dashes over a column of 26. A job id wider than ``id_width``
    shifts the columns behind it; ``state`` is the offset of the state's letter."""

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
    reply: Reply,
    states: Mapping[str, Phase],
    columns: Columns,
    reasons: Mapping[str, str] = MappingProxyType({}),
    empty_code: int = 0,
) -> Listing:
    """Read a plain qstat: a header, a rule, one row for each job.

    ``reasons`` are what letters of states say beyond their phase; ``empty_code`` is the exit code of a silent qstat
    without any job. Raises AnswerError when the answer is not a whole listing."""
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
            # An unknown letter says only that the job exists.
            phase = states.get(match["state"], Phase.RUNNING)
            name, user = _text(match["name"]), _text(match["user"])
            reason = reasons.get(match["state"], "")
            seen.append(Seen(match["number"], name, phase, user, match["short"], match["state"], reason))
        else:
            unreadable.append(row)
    return Listing(seen, unreadable)


def _bytewise(row: str) -> str:
    """Return ``row`` with one character for each byte: printf counts bytes."""
    return row.replace("\ufffd", "?").encode().decode("latin-1")


def _text(bytewise: str) -> str:
    return bytewise.encode("latin-1").decode(errors="replace")


def folded(text: str) -> list[Attributes]:
    """Read ``qstat -f``, with or without ``-1``, of Torque and PBS Pro.

    An attribute is four blanks and ``key = value``, continued after a tab. A line of another shape belongs to the
    value before it, which had a newline."""
    return blocks(text.replace("\n\t", ""), re.compile(r" {4}([A-Za-z_][\w.]*) = ?(.*)"))


def blocks(text: str, attribute: re.Pattern[str]) -> list[Attributes]:
    """Read blocks with a first line ``Job Id:`` and a line for each attribute.

    Raises AnswerError for a cut text."""
    if not text.endswith("\n"):
        raise AnswerError(f"the full status is cut short: {text[-120:]!r}")
    parts = re.split(r"^Job Id:[ \t]*(.*)\n", text, flags=re.MULTILINE)
    jobs = []
    for native_id, body in zip(parts[1::2], parts[2::2]):  # noqa: B905 -- strict= came with Python 3.10
        found = [match.groups() for line in body.split("\n") if (match := attribute.fullmatch(line))]
        jobs.append(Attributes(native_id, found))
    return jobs
