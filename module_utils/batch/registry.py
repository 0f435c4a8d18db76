"""Register the schedulers and dialects that a site can choose.

Dialect (directives written) and scheduler (answers read) are two settings of a site and never guessed: the same exit
code means different things to different schedulers (35 is "finished" to PBS Pro and "busy" to Torque).
"""

from __future__ import annotations

from . import pbspro, slurm, torque
from .dialect import Dialect
from .scheduler import Scheduler

_FILES = (torque, pbspro, slurm)

SCHEDULERS: dict[str, Scheduler] = {name: entry for file in _FILES for name, entry in file.SCHEDULERS.items()}
DIALECTS: dict[str, Dialect] = {name: entry for file in _FILES for name, entry in file.DIALECTS.items()}


def of_all(name: str) -> tuple[str, ...]:
    """Return the distinct values of one text attribute over all dialects.

    A script must have no unrequested directive of any scheduler, and one scheduler may run another one's script."""
    return tuple(dict.fromkeys(getattr(dialect, name) for dialect in DIALECTS.values()))
