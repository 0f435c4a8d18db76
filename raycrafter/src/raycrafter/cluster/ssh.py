"""Commands on the login node over one multiplexed ssh connection.

The connection is opened apart from the commands, with no pipe of ours: a background connection that inherits a
command's stderr keeps whoever reads it waiting until the connection ends. Login nodes ban who opens one per command.
"""

from __future__ import annotations

import fcntl
import logging
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .batch import process
from .batch.reply import Reply
from .errors import RemoteError, SshError

logger = logging.getLogger(__name__)

COMMAND_TIMEOUT = 60.0  # seconds
CONNECT_TIMEOUT = 15  # seconds
PERSIST = 3600  # seconds without a command after which the connection closes itself
FIRST_PAUSE, LAST_PAUSE = 5.0, 60.0  # seconds without a try after a failure; doubled by each further one
SSH_FAILED = 255

# A command's own 255 would look like ssh's: it becomes 254. One line and "sh -c", because the login shell may be csh.
_KEEP_CODE = '; rc=$?; [ "$rc" -ne 255 ] || rc=254; exit "$rc"'
_WRITE = 'umask 077; mkdir -p "${1%/*}" && cat >"$1.tmp" && [ "$(wc -c <"$1.tmp")" -eq "$2" ] && mv "$1.tmp" "$1"'


class Remote:
    """The login node. ``config`` is an ssh configuration file with the host alias, its pinned key and a ControlPath."""

    def __init__(self, config: str, host: str, lock_directory: str) -> None:
        """``lock_directory`` (local) keeps two processes from opening the connection at once."""
        options = ["BatchMode=yes", "LogLevel=ERROR", f"ConnectTimeout={CONNECT_TIMEOUT}"]
        self._ssh = ["ssh", "-F", config, *(word for option in options for word in ("-o", option))]
        self.host = host
        self._lock = Path(lock_directory) / f"ssh-{host}.lock"
        self._pause, self._retry_at, self._trouble = 0.0, 0.0, ""

    def run(self, script: str, *arguments: str, data: bytes | None = None, timeout: float = COMMAND_TIMEOUT) -> Reply:
        """Runs a one-line sh script with ``arguments`` as "$1"… and ``data`` as its input.

        Raises SshError when there is no connection or the time is up: the script may then have run or not.
        """
        command = shlex.join(["sh", "-c", f"({script}){_KEEP_CODE}", "sh", *arguments])
        words = self.connected()
        try:
            result = process.run([*words, self.host, "--", command], data=data, timeout=timeout)
        except (process.LimitError, OSError) as error:
            raise self._failed(str(error)) from error
        if result.code == SSH_FAILED:
            raise self._failed(result.stderr)
        self._pause = self._retry_at = 0.0
        return result

    def connected(self) -> list[str]:
        """The words of an ssh that uses the shared connection, which stands. ``host`` comes next. Raises SshError."""
        if time.monotonic() < self._retry_at:
            raise SshError(self._trouble)
        try:
            self._connect()
        except (process.LimitError, subprocess.SubprocessError, OSError) as error:
            raise self._failed(str(error)) from error
        return [*self._ssh, "-o", "ControlMaster=no"]

    def check(
        self, what: str, script: str, *arguments: str, data: bytes | None = None, timeout: float = COMMAND_TIMEOUT
    ) -> Reply:
        """``run`` for commands whose refusal is an error: raises RemoteError, ``what`` names the command in it."""
        result = self.run(script, *arguments, data=data, timeout=timeout)
        if result.code != 0:
            raise RemoteError(what, result.code, result.stderr or result.stdout)
        return result

    def write(self, path: str, data: bytes) -> None:
        """Writes a file for the owner alone, its directory too; it appears whole or not at all."""
        self.check(f"writing {path}", _WRITE, path, str(len(data)), data=data)

    def _connect(self) -> None:
        """Makes sure that the shared connection stands."""
        control = [*self._ssh, "-O", "check", self.host]
        with self._locked():
            if process.run(control, timeout=CONNECT_TIMEOUT).code == 0:
                return
            with tempfile.TemporaryFile() as errors:  # a file, never a pipe: the connection stays behind with it
                # Not -M as well: master mode asked for twice means that every command needs a person's consent.
                code = subprocess.run(
                    [*self._ssh, "-o", "ControlMaster=yes", "-o", f"ControlPersist={PERSIST}", "-Nf", self.host],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    timeout=2 * CONNECT_TIMEOUT,
                    start_new_session=True,
                    check=False,
                ).returncode
                errors.seek(0)
                if code != 0:
                    raise OSError(errors.read(2000).decode(errors="replace"))
        logger.info("ssh connection to %s opened", self.host)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _failed(self, text: str) -> SshError:
        """Notes a failure and when to try again."""
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LAST_PAUSE)
        self._retry_at = time.monotonic() + self._pause
        self._trouble = f"ssh to {self.host}: {' '.join(text.split())[:500] or 'connection failed'}"
        return SshError(self._trouble)
