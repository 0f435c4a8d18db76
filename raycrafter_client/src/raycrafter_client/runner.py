"""Run a renderer in its own process group, read its outputs, end it in time."""

import os
import selectors
import signal
import time
from contextlib import suppress
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from . import stop
from .spawner import Spawner, SpawnerLostError

CHUNK_BYTES = 65536
# Seconds to read the pipes after the renderer's end: a grandchild may hold them open.
REST_SECONDS = 2.0
# Seconds between SIGTERM and SIGKILL after a SIGTERM from the batch system, which kills all processes soon after.
HURRY_SECONDS = 4.0
# A batch system signals a job's processes one by one: its SIGTERM may reach the renderer this long before the client.
LATE_SIGNAL_SECONDS = 0.5
NEVER = float("inf")


class Ended(NamedTuple):
    """Return code (negative for a signal), run time (seconds) and peak memory (KiB)."""

    returncode: int
    seconds: float
    peak_rss_kb: int


class Runner:
    """Run one process from start to end."""

    def __init__(self, spawner: Spawner, switch: stop.StopSwitch, deadline: float, grace_seconds: float) -> None:
        """Send SIGTERM at ``deadline`` (time.monotonic()) or when the switch is set.

        SIGKILL follows after ``grace_seconds``.
        """
        self._spawner = spawner
        self._switch = switch
        self._deadline = deadline
        self._grace = grace_seconds
        self._kill_at = NEVER
        self._stopping = False
        self._end: Optional[Dict[str, Any]] = None

    def run(
        self,
        command: List[str],
        directory: str,
        on_stdout: Callable[[bytes], None],
        on_stderr: Callable[[bytes], None],
    ) -> Ended:
        """Run ``command`` without a shell and wait for its end.

        Raises OSError if the command cannot be started.
        """
        started = time.monotonic()
        stdout, their_stdout = os.pipe()
        stderr, their_stderr = os.pipe()
        try:
            with selectors.DefaultSelector() as selector:
                for pipe, take in ((stdout, on_stdout), (stderr, on_stderr)):
                    os.set_blocking(pipe, False)
                    selector.register(pipe, selectors.EVENT_READ, take)
                try:
                    self._start(command, directory, their_stdout, their_stderr)
                    self._watch(selector)
                except SpawnerLostError:
                    self._switch.set(stop.SPAWNER_LOST)
                    self._end = {"returncode": -signal.SIGKILL, "peak_rss_kb": 0}
                seconds = time.monotonic() - started
                self._read_rest(selector)
        finally:
            os.close(stdout)
            os.close(stderr)
        if "failed" in self._end:
            code, text, name = self._end["failed"]
            raise OSError(code, text, name)
        if self._end["returncode"] != 0:
            self._switch.wait(LATE_SIGNAL_SECONDS)
        return Ended(self._end["returncode"], seconds, self._end["peak_rss_kb"])

    def _start(self, command: List[str], directory: str, stdout: int, stderr: int) -> None:
        try:
            self._spawner.start(command, directory, stdout, stderr)
        finally:
            os.close(stdout)
            os.close(stderr)

    def _watch(self, selector: selectors.BaseSelector) -> None:
        """Read the outputs until the process ends."""
        selector.register(self._spawner, selectors.EVENT_READ, None)
        selector.register(self._switch, selectors.EVENT_READ, None)
        try:
            while self._end is None:
                self._end_if_due(selector)
                self._read(selector, self._kill_at if self._stopping else self._deadline)
        except BaseException:
            with suppress(SpawnerLostError):
                self._spawner.signal(signal.SIGKILL)
            raise
        finally:
            selector.unregister(self._spawner)
            if not self._stopping:
                selector.unregister(self._switch)

    def _end_if_due(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            self._switch.set(stop.WALLTIME)
        if self._switch.reason and not self._stopping:
            self._stopping = True
            selector.unregister(self._switch)
            hurry = self._switch.reason == stop.TERMINATED
            self._kill_at = now + (min(self._grace, HURRY_SECONDS) if hurry else self._grace)
            self._spawner.signal(signal.SIGTERM)
        if now >= self._kill_at:
            self._spawner.signal(signal.SIGKILL)
            self._kill_at = NEVER

    def _read(self, selector: selectors.BaseSelector, limit: float) -> None:
        """Read available output, waiting until ``limit`` (time.monotonic())."""
        timeout = None if limit == NEVER else max(0.0, limit - time.monotonic())
        for key, _ in selector.select(timeout):
            if key.fileobj is self._spawner:
                message = self._spawner.receive()
                self._end = None if "started" in message else message
            elif key.fileobj is not self._switch:
                self._take(selector, key)

    @staticmethod
    def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        with suppress(BlockingIOError):
            chunk = os.read(key.fd, CHUNK_BYTES)
            if chunk:
                key.data(chunk)
            else:
                selector.unregister(key.fileobj)

    def _read_rest(self, selector: selectors.BaseSelector) -> None:
        limit = time.monotonic() + REST_SECONDS
        while selector.get_map() and time.monotonic() < limit:
            self._read(selector, limit)
