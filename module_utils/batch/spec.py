"""What a batch job is: the typed description that the dialects, the launchers and the script are made from.

Pure Python without imports of Ansible or Django: the Ansible module ``batch_script`` and the render manager use this
same file, on whatever Python the login node has, hence nothing newer than Python 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")  # a job's: what Torque, PBS Pro and Slurm all take and list uncut
MAX_WALLTIME = 366 * 24 * 3600  # seconds; beyond any queue's limit, so it is a slip
_CLOCK = re.compile(r"(?:(?:([0-9]{1,4})[-:])?([0-9]{1,6}):)?([0-5]?[0-9]):([0-5][0-9])")
_UNITS = re.compile(r"(?=[0-9])(?:([0-9]{1,3})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")


class BatchScriptError(ValueError):
    """One field of the description is wrong: ``field`` names it, ``reason`` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def require(holds: bool, name: str, rule: str, numbers: str) -> None:
    """Raise BatchScriptError for a field unless its rule holds; ``numbers`` shows the rule with its values."""
    if not holds:
        raise BatchScriptError(name, f"{rule} does not hold: {numbers}")


@dataclass(frozen=True)
class Launch:
    """How the launcher spreads the program, in aprun's letters: n processing elements in all, N per node, d CPUs for
    each, j CPUs used per core (2 = hyperthreads), S per NUMA node, cc the CPU binding; b: the program is on a file
    system that the nodes share and is not shipped to them; e: variables for the program alone."""

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
    """What one compute node has: physical cores, NUMA nodes, hardware threads per core."""

    cores: int = 1
    numa_nodes: int = 1
    hyperthreads: int = 1


@dataclass(frozen=True)
class BatchSpec:
    """One batch job. ``walltime`` as ``parse_walltime`` takes it; ``directory`` is where it runs and leaves its output;
    ``export`` names variables of the submitting shell that the job shall see.

    ``project`` is PBS Pro's, ``account`` everybody's. ``mail_to`` are addresses, ``mail_on`` some of begin, end, abort.
    ``after`` holds job ids by condition: after, afterok, afternotok, afterany. ``array`` is ``first-last`` with
    ``%most`` at a time. ``workspace`` is a name that ``ws_find`` knows; the job sees its path in ``WORKSPACE``.
    ``prologue`` and ``epilogue`` are files of the site: one is read by the job's shell before the program, the other
    runs after it with the exit code as its argument.
    """

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
    """Seconds in ``[D-]HH:MM:SS``, ``D:HH:MM:SS``, ``MM:SS`` or plain, as people write and batch systems print them;
    None for anything else."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    clock = _CLOCK.fullmatch(text)
    return _sum(clock) if clock else None


def _sum(match: re.Match[str]) -> int:
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_walltime(text: str | int) -> int:
    """Seconds in ``HH:MM:SS`` (hours may exceed 24), ``MM:SS``, ``D:HH:MM:SS``, ``D-HH:MM:SS``, ``1d12h30m`` or plain
    seconds.

    Raises BatchScriptError for anything else, and for less than a second or more than a year.
    """
    seconds = text if isinstance(text, int) and not isinstance(text, bool) else None
    if isinstance(text, str):
        units = _UNITS.fullmatch(text)
        seconds = _sum(units) if units else clock_seconds(text)
    if seconds is None:
        mend = "write HH:MM:SS (minutes and seconds end at 59), 1d12h30m or seconds"
        raise BatchScriptError("walltime", f"{mend}, got {text!r}")
    if not 1 <= seconds <= MAX_WALLTIME:
        raise BatchScriptError("walltime", f"must be 1 to {MAX_WALLTIME} seconds, got {seconds}")
    return seconds


def format_walltime(seconds: int) -> str:
    """``HH:MM:SS`` with every part padded; hours may exceed 24."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
