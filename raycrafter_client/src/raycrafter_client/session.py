"""One batch's client from the first claim to the last word."""

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

# The renderer's time between SIGTERM and SIGKILL, seconds; at most a third of the margin.
GRACE_SECONDS = 20.0
# How long the one try may take to report a frame while others wait to be rendered, seconds.
ONE_TRY = 10.0
# What is left for last words, seconds, when the batch system ends us, and otherwise.
LAST_WORDS_HURRY = 4.0
LAST_WORDS = 20.0


class Session:
    """Claims, renders and reports until there is a reason to end."""

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
        """``on_work`` is told what every log message says of the work from now on: renderer, frame, attempt."""
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
        """Work and return the exit code."""
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
                return self._stopped()
            if self._switch.draining:
                return EXIT_OK, "drained"
            self._report_all(self._deadline, self._switch.wait)
            if self._switch.reason or self._switch.draining:
                continue
            try:
                answer = self._api.claim(self._native_id, host, self._deadline, self._switch.wait)
            except ApiError as error:
                self._switch.set(stop_for(error) or str(error))
                continue
            except UnreachableError:
                if self._switch.reason:
                    continue
                raise
            self._is_owner = True
            if answer.status == 204 or not answer.data.get("frames"):
                return EXIT_OK, "nothing left"
            claim = parse(answer.data)
            if not beating:
                # only now: before the first claim the server does not know whose heart it is
                beating = True
                self._heartbeat.start()
                self._sender.start()
            self._render_all(claim)

    def _stopped(self) -> Tuple[int, str]:
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
        # the server's time on this host's clock
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
            # while the server is away the next frame need not wait for this one's report
            self._report_all(time.monotonic() + ONE_TRY, lambda seconds: True)
            self._on_work({"frame": None, "attempt": None})

    def _report_all(self, until: float, given_up: Callable[[float], bool]) -> None:
        """Report results in order; what cannot be brought now stays for later."""
        while self._unreported:
            task, result = self._unreported[0]
            try:
                self._api.result(
                    task.number, dict(result, native_id=self._native_id, attempt=task.attempt), until, given_up
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
        """Bring what is left to the server, within a limit, and say goodbye: it listens to the batch's owner only."""
        level = {EXIT_OK: logging.INFO, EXIT_TERMINATED: logging.WARNING}.get(code, logging.ERROR)
        self._heartbeat.end()
        if reason in (stop.FENCED, stop.REFUSED) or not self._is_owner:
            self._reporter.log(level, "client_ended", "client ends: {}".format(reason))
            self._sender.end()
            return code
        self._reporter.event(level, "client_ended", "client ends: {}".format(reason))
        until = time.monotonic() + (LAST_WORDS_HURRY if code == EXIT_TERMINATED else LAST_WORDS)
        # waits, and never gives up before the limit
        given_up = threading.Event().wait
        self._report_all(until, given_up)
        if self._sender.ident is None:
            self._sender.start()
        self._sender.flush(until - time.monotonic())
        try:
            self._api.finish(self._native_id, reason[:200], until, given_up)
        except (ApiError, UnreachableError) as error:
            self._reporter.log(logging.WARNING, "finish_lost", "the server does not know of the end: {}".format(error))
        self._sender.end()
        if self._unreported:
            numbers = ", ".join(str(task.number) for task, _ in self._unreported)
            self._reporter.log(
                logging.ERROR, "results_lost", "the results of these frames are lost: {}".format(numbers)
            )
            return code or EXIT_UNREACHABLE
        return code
