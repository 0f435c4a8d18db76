"""Types of a scheduler's answers; comparison of job ids and users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class AnswerError(Exception):
    """An answer that cannot be read. It says nothing about any job."""


class Verdict(Enum):
    """Meaning of an error code or text for the request."""

    GONE = "the job is not known: it ended or never was"
    BUSY = "not now: nothing was done, ask again"
    LIMIT = "too many jobs are queued: nothing was done, ask again later"
    DOUBT = "it may have been done or not"
    FATAL = "refused: asking again gets the same answer"


class Phase(Enum):
    """Phase of a job by the scheduler's state."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class Reply:
    """Exit code and outputs of one of the scheduler's programs."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Submitted:
    """A submission that the scheduler accepted."""

    native_id: str


@dataclass(frozen=True)
class Refused:
    """A request without success.

    ``verdict`` is BUSY, LIMIT, DOUBT or FATAL, ``text`` the scheduler's own."""

    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Seen:
    """One job in a listing.

    ``number`` is the id's numeric part, because listings cut the server's name. ``user`` may be cut, too;
    ``short_id`` is the id for questions: the number, with the mark of an array. ``state`` is the scheduler's own
    letters, ``reason`` why the job waits or ended, "" where the listing does not say."""

    number: str
    name: str
    phase: Phase
    user: str
    short_id: str
    state: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Attributes:
    """One job in a full status: its id, and pairs of name and value as text."""

    native_id: str
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Job:
    """One job's full status.

    ``state`` is the scheduler's own word and ``phase`` its meaning; ``exit_status`` is that of an ended job (PBS
    Pro: 256 and more or negative when it was killed), None where the scheduler has none; ``walltime_used`` is in
    seconds; ``hosts`` have the scheduler's names, Slurm's with its ranges (``nid[1-3]``); ``reason`` is Slurm's, of
    a job that waits or ended."""

    native_id: str
    name: str
    user: str
    state: str
    phase: Phase
    queue: str
    exit_status: int | None = None
    walltime_used: int | None = None
    hosts: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Ending:
    """Cause of a job's end.

    ``is_external``: a limit, a person or a node ended it, so its work is not at fault."""

    text: str
    is_external: bool


def number(native_id: str) -> str:
    """Return the numeric part of a job id.

    Listings and ids inside a job (``0:123.server``) have it in common."""
    found = re.match(r"(?:[0-9]+:)?([0-9]+)", native_id)
    return found[1] if found else ""


def same_job(one: str, other: str) -> bool:
    """Return whether two ids mean one job.

    Their numbers are equal; either server may be missing or cut."""
    servers = sorted((re.sub(r"^[^.]*\.?", "", it) for it in (one, other)), key=len)
    return number(one) == number(other) != "" and servers[1].startswith(servers[0])


def same_user(shown: str, user: str) -> bool:
    """Return whether a listing's column is ``user``.

    Listings cut names at 15 characters or later; PBS Pro marks that with ``*``."""
    cut = shown.rstrip("*")
    return shown == user or (len(cut) >= 15 and user.startswith(cut))


def excerpt(reply: Reply) -> str:
    """Return the beginning of an answer, on one line, for an error."""
    return short(reply.stderr.strip() or reply.stdout)


def short(text: str) -> str:
    """Return the beginning of a text, on one line, for an error."""
    return " ".join(text.split())[:300] or "it said nothing"
