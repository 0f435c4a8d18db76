"""Progress of a transfer, measured by the sizes of its files.

What the copying program prints is not used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from django.db import DatabaseError

from raycrafter.cluster.errors import InfrastructureError, RemoteError
from raycrafter.cluster.transfer import Files
from raycrafter.jobs.models import Transfer
from raycrafter.jobs.states import TransferState

from .common import remote

logger = logging.getLogger(__name__)

_SIZES = r"cd " '"$1"' r" && find . -type f -printf '%s %P\n'"


class StoppedError(Exception):
    """The transfer was cancelled, or left for another try, while it ran."""


class Progress:
    """Record in the transfer's row the bytes that ``measure`` returns, as they grow."""

    def __init__(self, transfer: Transfer, measure: Callable[[], int]) -> None:
        self._row = Transfer.objects.filter(pk=transfer.pk, state=TransferState.RUNNING)
        self._measure = measure
        # Below what an earlier try noted: files that were wrong are gone.
        self._last = -1

    def __call__(self) -> None:
        """Measure and record. Progress errors never abort a transfer.

        Raises StoppedError when the transfer was stopped.
        """
        try:
            if not self._row.exists():
                raise StoppedError
            done = self._measure()
            if done > self._last:
                self._row.update(bytes_done=done)
                self._last = done
        except (InfrastructureError, RemoteError, OSError, ValueError, DatabaseError) as error:
            logger.debug("no progress of a transfer: %s", error)


def sent(sizes: Mapping[str, int], files: Files) -> int:
    """Return the bytes that are on the cluster; ``sizes`` are the final ones.

    Raises as ``Remote.check`` does.
    """
    listed = remote().check(f"listing {files.there}", _SIZES, files.there).stdout
    lines = (line.partition(" ") for line in listed.splitlines())
    there = {name: int(size) for size, _, name in lines if size.isdecimal()}  # a login shell may say more
    return sum(min(size, there.get(name, 0)) for name, size in sizes.items())


def arrived(sizes: Mapping[Path, int]) -> int:
    """Return the bytes that are on this host; ``sizes`` are the final ones."""
    return sum(min(size, path.stat().st_size) for path, size in sizes.items() if path.is_file())
