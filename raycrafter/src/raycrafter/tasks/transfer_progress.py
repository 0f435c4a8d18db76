"""How far a transfer has come, told by the sizes of its files and never by what the copying program prints."""

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
    """The transfer runs no longer, by somebody else's doing: it was cancelled, or given up for another try."""


class Progress:
    """Writes what ``measure`` finds (bytes) into the transfer's row, when called and when it has grown."""

    def __init__(self, transfer: Transfer, measure: Callable[[], int]) -> None:
        self._row = Transfer.objects.filter(pk=transfer.pk, state=TransferState.RUNNING)
        self._measure = measure
        # Below what an earlier try noted: files that were wrong are gone.
        self._last = -1

    def __call__(self) -> None:
        """Raises StoppedError. Not to know how far it is ends no copy."""
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
    """Bytes of files on the cluster, of which ``sizes`` says how long each will be. Raises as ``Remote.check`` does."""
    listed = remote().check(f"listing {files.there}", _SIZES, files.there).stdout
    lines = (line.partition(" ") for line in listed.splitlines())
    there = {name: int(size) for size, _, name in lines if size.isdecimal()}  # a login shell may say more
    return sum(min(size, there.get(name, 0)) for name, size in sizes.items())


def arrived(sizes: Mapping[Path, int]) -> int:
    """Bytes of files here, of which ``sizes`` says how long each will be."""
    return sum(min(size, path.stat().st_size) for path, size in sizes.items() if path.is_file())
