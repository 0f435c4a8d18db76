"""Describe a batch job for dialects, launchers and the script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# Job names that Torque, PBS Pro and Slurm accept and list in full.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")
MAX_WALLTIME = 366 * 24 * 3600  # seconds; no queue allows more
_CLOCK = re.compile(r"(?:(?:([0-9]{1,4})[-:])?([0-9]{1,6}):)?([0-5]?[0-9]):([0-5][0-9])")
_UNITS = re.compile(r"(?=[0-9])(?:([0-9]{1,3})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")


class BatchScriptError(ValueError):
    """A field that does not fit: ``field`` names it, ``reason`` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def require(holds: bool, name: str, rule: str, numbers: str) -> None:
    """Raise BatchScriptError for a field unless its rule holds.

    ``numbers`` shows the rule with its values."""
    if not holds:
        raise BatchScriptError(name, f"{rule} does not hold: {numbers}")


@dataclass(frozen=True)
class Launch:
    """Geometry of the launcher, in aprun's letters.

    n processing elements in all, N per node, S per NUMA node; d CPUs for each, j CPUs used per core (2:
    hyperthreads); cc the CPU binding; b: the nodes share the program's file system, so it is not shipped; e:
    variables for the program alone."""

    n: int = 1
    N: int = 1
    d: int = 1
    j: int = 1
    S: int | None = None
    cc: str = "none"
    b: bool = True
    e: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """One compute node: physical cores, NUMA nodes, hardware threads per core."""

    cores: int = 1
    numa_nodes: int = 1
    hyperthreads: int = 1


@dataclass(frozen=True)
class BatchSpec:
    """One batch job.

    ``walltime`` has a form of ``parse_walltime``. The job runs and writes its output in ``directory``. ``export``
    names variables of the submitting shell that the job gets. Only PBS Pro has a ``project``. ``mail_to`` are
    addresses, ``mail_on`` some of begin, end, abort. ``after`` has job ids by condition: after, afterok, afternotok,
    afterany. ``array`` is ``first-last`` with ``%most`` at a time. ``workspace`` is a name that ``ws_find`` knows;
    the job sees its path in ``WORKSPACE``. The job's shell reads the site's file ``prologue`` before the program;
    the site's program ``epilogue`` runs after it with the exit code as its argument."""

    name: str
    queue: str
    nodes: int
    cores_per_node: int
    walltime: str | int
    dialect: str
    launcher: str
    directory: str
    command: Sequence[str]
    account: str | None = None
    project: str | None = None
    launch: Launch = field(default_factory=Launch)
    node: Node = field(default_factory=Node)
    modules: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    export: Sequence[str] = ()
    mail_to: Sequence[str] = ()
    mail_on: Sequence[str] = ()
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    array: str | None = None
    workspace: str | None = None
    prologue: str | None = None
    epilogue: str | None = None


def clock_seconds(text: str) -> int | None:
    """Return the seconds in a clock time; None for any other text.

    Forms: ``[D-]HH:MM:SS``, ``D:HH:MM:SS``, ``MM:SS``, plain seconds."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    clock = _CLOCK.fullmatch(text)
    return _sum(clock) if clock else None


def _sum(match: re.Match[str]) -> int:
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_walltime(text: str | int) -> int:
    """Return the seconds of a walltime.

    Forms: ``HH:MM:SS`` (hours may exceed 24), ``MM:SS``, ``D:HH:MM:SS``, ``D-HH:MM:SS``, ``1d12h30m``, plain
    seconds. Raises BatchScriptError for any other text, and for less than a second or more than a year."""
    seconds = text if isinstance(text, int) and not isinstance(text, bool) else None
    if isinstance(text, str):
        units = _UNITS.fullmatch(text)
        seconds = _sum(units) if units else clock_seconds(text)
    if seconds is None:
        fix = "write HH:MM:SS (minutes and seconds end at 59), 1d12h30m or seconds"
        raise BatchScriptError("walltime", f"{fix}, got {text!r}")
    if not 1 <= seconds <= MAX_WALLTIME:
        raise BatchScriptError("walltime", f"must be 1 to {MAX_WALLTIME} seconds, got {seconds}")
    return seconds


def format_walltime(seconds: int) -> str:
    """Return ``HH:MM:SS`` with every part padded; hours may exceed 24."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
