"""What a batch system's commands say, in types: replies, verdicts, phases, jobs, and when two of them mean one job.

Pure Python without imports of Ansible or Django: the Ansible module ``batch_job`` and the render manager use this same
file. It runs on whatever Python the login node has, hence nothing newer than Python 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class AnswerError(Exception):
    """The answer cannot be read. It says nothing about any job."""


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
class Reply:
    """What a program of the batch system said: its exit code and its two outputs."""

    code: int
    stdout: str
    stderr: str


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
    """One job in a listing; ``number`` is the id's numeric part, because listings cut the server's name.

    ``user`` may be cut, too; ``short_id`` is what to ask for: the number, with the mark of an array. ``state`` is the
    scheduler's own letters, ``reason`` why the job waits or ended, "" where the listing does not say."""

    number: str
    name: str
    phase: Phase
    user: str
    short_id: str
    state: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Attributes:
    """One job in a full status as it was read: its id, and names with their values, all of them text."""

    native_id: str
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Job:
    """One job's full status.

    ``state`` is the system's own word and ``phase`` its meaning; ``exit_status`` is that of an ended job (PBS Pro: 256
    and more or negative when it was killed), None where the system does not tell; ``walltime_used`` is in seconds;
    ``hosts`` are as the system names them, Slurm's with its ranges (``nid[1-3]``); ``reason`` is Slurm's, of a job that
    waits or ended.
    """

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
    """How a job ended, as the scheduler tells it. ``is_external``: a limit, a person or a node ended it, so what it was
    working on is not at fault."""

    text: str
    is_external: bool


def number(native_id: str) -> str:
    """The numeric part of a job id, which is what listings and ids from inside the job (``0:123.server``) share."""
    found = re.match(r"(?:[0-9]+:)?([0-9]+)", native_id)
    return found[1] if found else ""


def same_job(one: str, other: str) -> bool:
    """Whether two ids mean one job: the same number, and servers of which either may be missing or cut."""
    servers = sorted((re.sub(r"^[^.]*\.?", "", it) for it in (one, other)), key=len)
    return number(one) == number(other) != "" and servers[1].startswith(servers[0])


def same_user(shown: str, user: str) -> bool:
    """Whether a listing's column, which cuts names at 15 characters or later (PBS Pro marks that with ``*``), is
    ``user``."""
    cut = shown.rstrip("*")
    return shown == user or (len(cut) >= 15 and user.startswith(cut))


def excerpt(reply: Reply) -> str:
    """The beginning of what was said, on one line, for an error."""
    return short(reply.stderr.strip() or reply.stdout)


def short(text: str) -> str:
    """The beginning of a text, on one line, for an error."""
    return " ".join(text.split())[:300] or "it said nothing"
