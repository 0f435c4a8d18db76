"""The client's side of the process that starts renderers."""

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
    """The process that starts renderers has ended; what it started has been killed."""


class Spawner:
    """Starts one renderer after the other. Make it in the main thread, before any other thread exists."""

    def __init__(self) -> None:
        """Fork the process. Raises UnsupportedError or OSError when it cannot be had."""
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
        """Return the descriptor that is readable when ``receive`` has something to return."""
        return self._connection.fileno()

    def start(self, command: List[str], directory: str, stdout: int, stderr: int) -> None:
        """Start ``command`` with this process's environment and the given outputs."""
        request = {"command": command, "directory": directory, "environment": dict(os.environ)}
        self._send(request, [stdout, stderr])

    def signal(self, number: int) -> None:
        """Send a signal to the renderer's process group, if the renderer has not ended."""
        self._send({"signal": number})

    def receive(self) -> Dict[str, Any]:
        """Return the next message: ``started``, then ``failed`` or ``returncode`` with ``peak_rss_kb``."""
        message = messages.receive(self._connection)
        if message is None:
            self._lose()
        self._renderer = message.fields.get("started")
        return message.fields

    def close(self) -> None:
        """End the process; it kills what it has started."""
        self._connection.close()
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _send(self, fields: Dict[str, Any], descriptors: Optional[List[int]] = None) -> None:
        try:
            messages.send(self._connection, fields, descriptors or [])
        except ConnectionError:
            self._lose()

    def _lose(self) -> None:
        # The kernel has killed the renderer itself; this is for the rest of its process group.
        if self._renderer is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._renderer, signal.SIGKILL)
            self._renderer = None
        raise SpawnerLostError
