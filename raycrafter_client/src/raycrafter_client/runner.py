"""Runs a renderer: own process group, no stdin, both outputs always read, ended in time."""

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import Callable, List, NamedTuple

from . import stop

CHUNK_BYTES = 65536
# How often the process is looked at when it prints nothing, seconds.
LOOK_SECONDS = 0.25
# How long the pipes are read after the process has ended, seconds: a grandchild may hold them open.
REST_SECONDS = 2.0
# The grace when the client itself is being ended, seconds.
HURRY_SECONDS = 4.0


class Ended(NamedTuple):
    """How the process ended: ``returncode`` is negative for a signal; times in seconds; peak memory in KiB."""

    returncode: int
    seconds: float
    peak_rss_kb: int


class Runner:
    """One process from start to end."""

    def __init__(self, switch: stop.StopSwitch, deadline: float, grace_seconds: float) -> None:
        """SIGTERM at ``deadline`` (time.monotonic()) or when the switch is thrown; after the grace SIGKILL."""
        self._switch = switch
        self._deadline = deadline
        self._grace = grace_seconds
        self._kill_at = float("inf")
        self._stopping = False

    def run(
        self,
        command: List[str],
        directory: str,
        on_stdout: Callable[[bytes], None],
        on_stderr: Callable[[bytes], None],
    ) -> Ended:
        """Run ``command`` without a shell and wait for its end. Raises OSError when it cannot be started."""
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with selectors.DefaultSelector() as selector:
            for pipe, take in ((process.stdout, on_stdout), (process.stderr, on_stderr)):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, take)
            selector.register(self._switch, selectors.EVENT_READ, None)
            try:
                while not self._has_ended(process.pid):
                    self._end_if_due(process.pid, selector)
                    self._read(selector, LOOK_SECONDS)
            finally:
                # also the processes that the renderer left behind; it is not yet reaped, so the number is still its own
                self._signal(process.pid, signal.SIGKILL)
            seconds = time.monotonic() - started
            self._read_rest(selector)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        process.stdout.close()
        process.stderr.close()
        return Ended(process.returncode, seconds, usage.ru_maxrss)

    def _has_ended(self, pid: int) -> bool:
        """Look without reaping."""
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _end_if_due(self, pid: int, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            self._switch.set(stop.WALLTIME)
        if self._switch.reason and not self._stopping:
            self._stopping = True
            selector.unregister(self._switch)
            # the batch system that sends SIGTERM kills everything a few seconds later
            hurry = self._switch.reason == stop.TERMINATED
            self._kill_at = now + (min(self._grace, HURRY_SECONDS) if hurry else self._grace)
            self._signal(pid, signal.SIGTERM)
        if now >= self._kill_at:
            self._signal(pid, signal.SIGKILL)
            self._kill_at = float("inf")

    def _read(self, selector: selectors.BaseSelector, seconds: float) -> None:
        """Take what is there, waiting at most ``seconds`` for it."""
        limit = self._kill_at if self._stopping else self._deadline
        for key, _ in selector.select(min(seconds, max(0.0, limit - time.monotonic()))):
            if key.data is None:
                continue
            with suppress(BlockingIOError):
                chunk = os.read(key.fd, CHUNK_BYTES)
                if chunk:
                    key.data(chunk)
                else:
                    selector.unregister(key.fileobj)

    def _read_rest(self, selector: selectors.BaseSelector) -> None:
        if not self._stopping:
            selector.unregister(self._switch)
        end = time.monotonic() + REST_SECONDS
        self._kill_at = self._deadline = float("inf")
        while selector.get_map() and time.monotonic() < end:
            self._read(selector, end - time.monotonic())

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
