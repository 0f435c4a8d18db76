"""Run the client of one batch from the first claim to the finish request."""

import logging
import socket
import threading
import time
from typing import Any, Callable, Dict, List, Tuple

from . import stop
from .api import Api, ApiError, UnreachableError
from .attempt import Attempt, not_started
from .claim import Claim, ClaimError, FrameTask, parse
from .config import Config
from .event_sender import EventSender
from .heartbeat import Heartbeat, stop_for
from .progress import Progress
from .reporter import Reporter
from .runner import Runner
from .spawner import Spawner

EXIT_OK, EXIT_UNUSABLE, EXIT_UNREACHABLE, EXIT_REFUSED, EXIT_TERMINATED = 0, 1, 75, 77, 143

# Seconds between SIGTERM and SIGKILL for the renderer; at most a third of the walltime's margin.
GRACE_SECONDS = 20.0
# Seconds for the single attempt to report a frame while other frames wait.
REPORT_SECONDS = 10.0
# Seconds for the last reports: after a SIGTERM from the batch system, and otherwise.
HURRY_SECONDS = 4.0
FINISH_SECONDS = 20.0


class Session:
    """Claim, render and report frames until a reason to end."""

    def __init__(
        self,
        config: Config,
        native_id: str,
        api: Api,
        reporter: Reporter,
        sender: EventSender,
        switch: stop.StopSwitch,
        spawner: Spawner,
        on_work: Callable[[Dict[str, Any]], None],
    ) -> None:
        """Create a session.

        ``on_work`` is called with the fields for all following log messages: renderer, frame, attempt.
        """
        self._config = config
        self._native_id = native_id
        self._api = api
        self._reporter = reporter
        self._sender = sender
        self._switch = switch
        self._spawner = spawner
        self._on_work = on_work
        self._progress = Progress()
        self._heartbeat = Heartbeat(api, native_id, self._progress, switch, reporter, config.heartbeat_seconds)
        self._deadline = time.monotonic() + config.walltime_seconds - config.walltime_end_margin
        self._is_owner = False
        self._unreported: List[Tuple[FrameTask, Dict[str, Any]]] = []

    def run(self) -> int:
        """Run to the end and return the exit code."""
        host = socket.gethostname()
        self._reporter.event(
            logging.INFO, "client_started", "client of batch job {} on {}".format(self._native_id, host)
        )
        try:
            code, reason = self._work(host)
        except UnreachableError as error:
            code, reason = EXIT_UNREACHABLE, "unreachable: {}".format(error)
        except ClaimError as error:
            code, reason = EXIT_UNUSABLE, str(error)
        return self._end(code, reason)

    def _work(self, host: str) -> Tuple[int, str]:
        beating = False
        while True:
            if not self._switch.reason and time.monotonic() >= self._deadline:
                self._switch.set(stop.WALLTIME)
            if self._switch.reason:
                return self._stop()
            if self._switch.draining:
                return EXIT_OK, "drained"
            self._report_all(self._deadline, self._switch.wait)
            if self._switch.reason or self._switch.draining:
                continue
            try:
                response = self._api.claim(self._native_id, host, self._deadline, self._switch.wait)
            except ApiError as error:
                self._switch.set(stop_for(error) or str(error))
                continue
            except UnreachableError:
                if self._switch.reason:
                    continue
                raise
            self._is_owner = True
            if response.status == 204 or not response.data.get("frames"):
                return EXIT_OK, "nothing left"
            claim = parse(response.data)
            if not beating:
                # The first claim registers this client: the server refuses heartbeats before it.
                beating = True
                self._heartbeat.start()
                self._sender.start()
            self._render_all(claim)

    def _stop(self) -> Tuple[int, str]:
        reason = self._switch.reason or ""
        codes = {
            stop.TERMINATED: EXIT_TERMINATED,
            stop.REFUSED: EXIT_REFUSED,
            stop.STOPPED: EXIT_OK,
            stop.CANCELLED: EXIT_OK,
            stop.FENCED: EXIT_OK,
            stop.WALLTIME: EXIT_OK,
        }
        return codes.get(reason, EXIT_UNUSABLE), reason

    def _render_all(self, claim: Claim) -> None:
        stop_in = claim.stop_at - self._api.clock_offset - time.time()
        self._deadline = min(self._deadline, time.monotonic() + stop_in)
        for task in claim.frames:
            if self._switch.reason or self._switch.draining:
                self._unreported.append((task, not_started(self._switch.reason or "drained")))
                continue
            self._on_work({"renderer": claim.renderer, "frame": task.number, "attempt": task.attempt})
            self._progress.begin(task.number, task.attempt)
            self._heartbeat.poke()
            grace = min(GRACE_SECONDS, self._config.walltime_end_margin / 3)
            runner = Runner(self._spawner, self._switch, self._deadline, grace)
            attempt = Attempt(task, claim.renderer, self._reporter, self._progress)
            result = attempt.run(runner, lambda: self._switch.reason)
            self._progress.end()
            self._unreported.append((task, result))
            # A single attempt: the next frame need not wait while the server is unreachable.
            self._report_all(time.monotonic() + REPORT_SECONDS, lambda seconds: True)
            self._on_work({"frame": None, "attempt": None})

    def _report_all(self, until: float, wait: Callable[[float], bool]) -> None:
        """Report results in order; keep the rest while the server is unreachable."""
        while self._unreported:
            task, result = self._unreported[0]
            try:
                self._api.result(
                    task.number, dict(result, native_id=self._native_id, attempt=task.attempt), until, wait
                )
            except UnreachableError:
                return
            except ApiError as error:
                reason = stop_for(error)
                if reason and reason != stop.FENCED:
                    self._switch.set(reason)
                text = "the result of frame {} is refused: {}".format(task.number, error)
                self._reporter.event(logging.ERROR, "result_refused", text, task.number, task.attempt)
            self._unreported.pop(0)

    def _end(self, code: int, reason: str) -> int:
        """Report remaining results, events and the end; only the batch's owner may."""
        level = {EXIT_OK: logging.INFO, EXIT_TERMINATED: logging.WARNING}.get(code, logging.ERROR)
        self._heartbeat.end()
        if reason in (stop.FENCED, stop.REFUSED) or not self._is_owner:
            self._reporter.log(level, "client_ended", "client ends: {}".format(reason))
            self._sender.end()
            return code
        self._reporter.event(level, "client_ended", "client ends: {}".format(reason))
        until = time.monotonic() + (HURRY_SECONDS if code == EXIT_TERMINATED else FINISH_SECONDS)
        # The switch is set already, so its wait() would stop the retries: sleep on an event that is never set.
        wait = threading.Event().wait
        self._report_all(until, wait)
        if self._sender.ident is None:
            self._sender.start()
        self._sender.flush(until - time.monotonic())
        try:
            self._api.finish(self._native_id, reason[:200], until, wait)
        except (ApiError, UnreachableError) as error:
            self._reporter.log(logging.WARNING, "finish_lost", "the end could not be reported: {}".format(error))
        self._sender.end()
        if self._unreported:
            numbers = ", ".join(str(task.number) for task, _ in self._unreported)
            self._reporter.log(
                logging.ERROR, "results_lost", "the results of these frames are lost: {}".format(numbers)
            )
            return code or EXIT_UNREACHABLE
        return code
