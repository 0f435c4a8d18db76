"""Control the process that starts renderers (the client's side)."""

import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any, Dict, List, Optional

from . import messages
from .linux import load_prctl
from .spawner_process import SpawnerProcess


class SpawnerLostError(Exception):
    """The process that starts renderers has ended; its renderer has been killed."""


class Spawner:
    """Start one renderer after the other.

    Create it in the main thread, before any other thread exists.
    """

    def __init__(self) -> None:
        """Fork the process. Raises UnsupportedError or OSError if that fails."""
        prctl = load_prctl()
        client = os.getpid()
        self._renderer: Optional[int] = None
        self._connection, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                SpawnerProcess(theirs, client, prctl).run()
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(0)
        theirs.close()

    def fileno(self) -> int:
        """Return the descriptor that is readable when ``receive`` has a message."""
        return self._connection.fileno()

    def start(self, command: List[str], directory: str, stdout: int, stderr: int) -> None:
        """Start ``command`` with this process's environment and two output descriptors."""
        request = {"command": command, "directory": directory, "environment": dict(os.environ)}
        self._send(request, [stdout, stderr])

    def signal(self, number: int) -> None:
        """Send a signal to the renderer's process group while the renderer runs."""
        self._send({"signal": number})

    def receive(self) -> Dict[str, Any]:
        """Return the next message.

        The keys are ``started`` (pid), later ``failed`` ([errno, text, file name]), or ``returncode`` and
        ``peak_rss_kb`` (KiB). Raises SpawnerLostError.
        """
        message = messages.receive(self._connection)
        if message is None:
            self._raise_lost()
        self._renderer = message.fields.get("started")
        return message.fields

    def close(self) -> None:
        """End the process, which kills its renderer."""
        self._connection.close()
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _send(self, fields: Dict[str, Any], descriptors: Optional[List[int]] = None) -> None:
        try:
            messages.send(self._connection, fields, descriptors or [])
        except ConnectionError:
            self._raise_lost()

    def _raise_lost(self) -> None:
        # The kernel has killed the renderer, but not the rest of its process group.
        if self._renderer is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._renderer, signal.SIGKILL)
            self._renderer = None
        raise SpawnerLostError
