"""Start, signal and reap renderers in a process of its own (the spawner).

Each renderer runs in its own process group and is killed when the client ends. The client forks the spawner before its
first thread: only a process with one thread may run Python between fork and exec.
"""

import os
import selectors
import signal
import socket
from contextlib import suppress
from typing import Any, Callable, Dict, Iterable, List, Optional

from . import messages
from .linux import signal_on_parent_death
from .renderer_process import become_renderer, read_report

# A batch system sends these signals to every process of a job. The client alone reacts to them.
BLOCKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
CLIENT_DIED = signal.SIGUSR2


class SpawnerProcess:
    """Serve one client until it ends."""

    def __init__(self, connection: socket.socket, client: int, prctl: Callable[[int, int], None]) -> None:
        self._connection = connection
        self._prctl = prctl
        self._mask: Iterable[int] = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
        self._client_died = False
        self._renderer: Optional[int] = None
        self._errors = -1
        keep_descriptors([0, 1, 2, connection.fileno()])
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(CLIENT_DIED, self._on_client_death)
        signal.set_wakeup_fd(wake)
        # The connection ends later: only when every thread of a killed client has ended.
        if not signal_on_parent_death(prctl, CLIENT_DIED, client):
            self._client_died = True

    def _on_client_death(self, *_: Any) -> None:
        self._client_died = True

    def run(self) -> None:
        """Start, signal and reap renderers until the client ends."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, selectors.EVENT_READ)
                selector.register(self._wake, selectors.EVENT_READ)
                while not self._client_died:
                    for key, _ in selector.select():
                        if key.fd == self._wake:
                            os.read(self._wake, 4096)
                        elif not self._serve():
                            return
                    self._reap()
        finally:
            self._signal(signal.SIGKILL)

    def _serve(self) -> bool:
        """Handle one request of the client; return False if the client has ended."""
        message = messages.receive(self._connection)
        if message is None:
            return False
        if "signal" in message.fields:
            self._signal(message.fields["signal"])
        else:
            self._start(message.fields, message.descriptors)
        return True

    def _start(self, request: Dict[str, Any], outputs: List[int]) -> None:
        parent = os.getpid()
        self._errors, errors = os.pipe()
        try:
            pid = os.fork()
            if pid == 0:
                become_renderer(request, outputs, errors, parent, self._mask, self._prctl)
        except OSError as error:
            os.close(self._errors)
            self._send({"failed": [error.errno, error.strerror, "fork"]})
            return
        finally:
            for descriptor in [*outputs, errors]:
                os.close(descriptor)
        # Parent and child both set the group, because either may run first.
        with suppress(OSError):
            os.setpgid(pid, pid)
        self._renderer = pid
        self._send({"started": pid})

    def _reap(self) -> None:
        pid = self._renderer
        if pid is None or os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
        # Kill the renderer's descendants before the reaping: until then the group's number cannot be reused.
        self._signal(signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        self._renderer = None
        failed = read_report(self._errors)
        os.close(self._errors)
        if failed:
            self._send({"failed": failed})
            return
        returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self._send({"returncode": returncode, "peak_rss_kb": usage.ru_maxrss})

    def _signal(self, number: int) -> None:
        if self._renderer is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._renderer, number)
        if number == signal.SIGKILL:
            # The renderer may have left its group.
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._renderer, number)

    def _send(self, fields: Dict[str, Any]) -> None:
        # The next read of the connection reports the end of the client.
        with suppress(OSError):
            messages.send(self._connection, fields)


def keep_descriptors(kept: Iterable[int]) -> None:
    """Close all descriptors except ``kept``; point stdin and stdout to /dev/null."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
