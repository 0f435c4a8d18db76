"""Files to and from the cluster by rsync over the worker's one ssh connection, for sites without GridFTP.

rsync and not sftp: sftp's ``reput`` believes the size of what is there, while rsync compares what is there block by
block, sends the rest, and stops after a silence. Login nodes have it, and it asks for no port beside ssh's.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from . import transfer
from .ssh import Remote
from .transfer import Files

_STALL = 60  # seconds without a byte
_OPTIONS = (
    # Written in place, so that what a killed run had brought is kept; the time, which is set last, tells a whole file.
    *("--inplace", "--times", "--no-implied-dirs", "--from0"),
    # Names are never seen by a shell, neither here nor there.
    "--protect-args",
    f"--timeout={_STALL}",
)


class SshTransfer:
    """The login node's file systems."""

    def __init__(self, remote: Remote) -> None:
        """``remote`` is the login node, whose connection is used."""
        self._remote = remote

    def push(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """See ``transfer.Adapter``. Raises SshError when there is no connection."""
        self._remote.check(f"making {files.there}", 'mkdir -p -- "$1"', files.there)
        self._copy(files, state, tick, f"{files.here}/", f"{self._remote.host}:{files.there}/")

    def pull(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """See ``transfer.Adapter``. Raises SshError when there is no connection."""
        self._copy(files, state, tick, f"{self._remote.host}:{files.there}/", f"{files.here}/")

    def _copy(self, files: Files, state: Path, tick: Callable[[], None], source: str, target: str) -> None:
        """Copies the files from below one directory to below the other."""
        state.mkdir(parents=True, exist_ok=True)
        (state / "names").write_bytes(b"".join(b"./" + os.fsencode(name) + b"\0" for name in files.names))
        shell = shlex.join(self._remote.connected())
        words = ["rsync", *_OPTIONS, f"--files-from={state / 'names'}", "--rsh", shell, "--", source, target]
        transfer.run(words, tick)
