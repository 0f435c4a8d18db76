"""Run one attempt at a frame: prepare, render, check the files, return the result."""

import logging
import time
from typing import Any, Callable, Dict, List, Optional

from . import files
from .claim import FrameTask
from .limiter import Limiter
from .parsing import Event, LineParser
from .progress import Progress
from .renderers import parsers_of
from .reporter import Reporter
from .runner import Runner

PROGRESS_PERCENT = 10.0
PROGRESS_SECONDS = 5.0
# Kinds of events that go to the log only: heartbeats carry the progress to the server.
LOG_ONLY = {"line", "frame", "progress"}
MAX_ERROR = 1000  # characters
# Rate limits of a frame's log messages and events: (burst, messages per second).
LOG_LIMIT = (1000, 100)
EVENT_LIMIT = (100, 2)


class Attempt:
    """Render one frame."""

    def __init__(self, task: FrameTask, renderer: str, reporter: Reporter, progress: Progress) -> None:
        self._task = task
        self._reporter = reporter
        self._progress = progress
        self._parsers = parsers_of(renderer)
        self._logged_percent = 0.0
        self._logged_at = time.monotonic()
        self._log_limiter = Limiter(*LOG_LIMIT)
        self._event_limiter = Limiter(*EVENT_LIMIT)

    def run(self, runner: Runner, interrupted: Callable[[], Optional[str]]) -> Dict[str, Any]:
        """Render and return the result as the server takes it.

        ``interrupted`` returns the reason why the renderer was stopped, or None.
        """
        result = self._render(runner, interrupted)
        return dict(result, log=self._progress.log())

    def _render(self, runner: Runner, interrupted: Callable[[], Optional[str]]) -> Dict[str, Any]:
        task = self._task
        self._event(logging.INFO, "frame_started", "frame {} starts".format(task.number), {"resume": task.resume})
        try:
            stamp = files.prepare(task.files)
            ended = runner.run(task.command, task.directory, self._take_stdout, self._take_stderr)
        except OSError as error:
            return self._failed("cannot start the renderer: {}".format(error))
        for parser in self._parsers:
            self._events(parser.close())
        self._report_left_out()
        result = {"returncode": ended.returncode, "seconds": round(ended.seconds, 3), "peak_rss_kb": ended.peak_rss_kb}
        if ended.returncode != 0:
            if interrupted():
                return self._interrupted(interrupted(), result)
            how = "exit code {}" if ended.returncode > 0 else "signal {}"
            cause = self._parsers.error or "the renderer gave no reason"
            return self._failed("{} ({})".format(cause, how.format(abs(ended.returncode))), result)
        try:
            manifest = files.publish(task.files, stamp)
        except (OSError, files.OutputError) as error:
            if interrupted():
                return self._interrupted(interrupted(), result)
            cause = self._parsers.error
            return self._failed("{} ({})".format(cause, error) if cause else str(error), result)
        result.update(outcome="rendered", error="", files=manifest)
        self._progress.percent(100.0)
        text = "frame {} rendered in {:.1f} s".format(task.number, ended.seconds)
        self._event(logging.INFO, "frame_rendered", text, dict(result))
        return result

    def _failed(self, error: str, measured: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        result = dict(measured or {"returncode": None, "seconds": None, "peak_rss_kb": None})
        result.update(outcome="failed", error=error[:MAX_ERROR], files=[])
        text = "frame {} failed: {}".format(self._task.number, error)
        self._event(logging.ERROR, "frame_failed", text, {"returncode": result["returncode"]})
        return result

    def _interrupted(self, reason: Optional[str], measured: Dict[str, Any]) -> Dict[str, Any]:
        result = dict(measured, outcome="interrupted", error=str(reason), files=[])
        text = "frame {} interrupted at {:.0f} %: {}".format(self._task.number, self._parsers.percent, reason)
        self._event(logging.WARNING, "frame_interrupted", text, {"percent": self._parsers.percent})
        return result

    def _take_stderr(self, chunk: bytes) -> None:
        self._take(self._parsers.stderr, chunk)

    def _take_stdout(self, chunk: bytes) -> None:
        self._take(self._parsers.stdout, chunk)

    def _take(self, parser: LineParser, chunk: bytes) -> None:
        self._events(self._fed(parser, chunk))
        self._progress.percent(self._parsers.percent)

    def _fed(self, parser: LineParser, chunk: bytes) -> List[Event]:
        """Return the parser's events. A failing parser costs log lines, never the render."""
        try:
            return parser.feed(chunk)
        except Exception as error:
            return [Event("parser_error", logging.ERROR, "{}: {!r}".format(type(parser).__name__, error), {})]

    def _events(self, events: List[Event]) -> None:
        for event in events:
            if event.kind == "progress":
                self._log_progress(event)
                continue
            self._progress.line(event.message)
            if not self._log_limiter.allows():
                continue
            if event.kind in LOG_ONLY or not self._event_limiter.allows():
                self._reporter.log(event.level, event.kind, event.message, self._task.number, self._task.attempt)
            else:
                self._event(event.level, event.kind, event.message, event.data)

    def _report_left_out(self) -> None:
        left_out = {"log": self._log_limiter.refused, "events": self._event_limiter.refused}
        if any(left_out.values()):
            text = "too many lines: {log} left out of the log, {events} more out of the events".format(**left_out)
            self._event(logging.WARNING, "left_out", text, left_out)

    def _log_progress(self, event: Event) -> None:
        percent, now = event.data["percent"], time.monotonic()
        if percent >= self._logged_percent + PROGRESS_PERCENT or now >= self._logged_at + PROGRESS_SECONDS:
            self._logged_percent, self._logged_at = percent, now
            self._reporter.log(event.level, event.kind, event.message, self._task.number, self._task.attempt)

    def _event(self, level: int, kind: str, message: str, data: Dict[str, Any]) -> None:
        self._reporter.event(level, kind, message, self._task.number, self._task.attempt, data)


def not_started(reason: str) -> Dict[str, Any]:
    """Return the result of a frame that was claimed but not started."""
    return {
        "outcome": "interrupted",
        "returncode": None,
        "seconds": None,
        "peak_rss_kb": None,
        "error": reason,
        "files": [],
    }
