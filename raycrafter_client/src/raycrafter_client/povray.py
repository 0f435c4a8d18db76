"""Parse POV-Ray's standard error into events.

Written against the output of 3.7.0.10 and, for the pretrace line of 3.8, against its source.
"""

import logging
import re
from typing import Any, Dict, List, Optional

from .parsing import Event, LineParser

PROGRESS = re.compile(r"^Rendered (\d+) of (\d+) pixels \((\d+)%\)")
PRETRACE = re.compile(r"^Performing radiosity pretrace: (\d+) of (\d+) pixels \((\d+)%\)")
PHASE = re.compile(r"^==== \[(\w+)")
FRAME = re.compile(r"^Rendering frame (\d+) of (\d+)")
VERSION = re.compile(r"^Persistence of Vision\(tm\) Ray Tracer Version (\S+)")
MESSAGE = re.compile(
    r"^(?:File '(?P<file>[^']*)' line (?P<line>\d+): )?"
    r"(?P<possible>Possible )?(?P<label>(?:[\w-]+ ){0,2}(?:Error|Warning)|Fatal error in \w+): (?P<text>.*)"
)
# Messages without a label, such as "Cannot create render state output file."
COMPLAINT = re.compile(r"^(?:Cannot|Could not|Failed|Unable|Error)\b")
TRACE_TIME = re.compile(r"^\s+Trace Time:.*\((\d+\.\d+) seconds\)")
SIGNAL = re.compile(r"^povray: received signal (\w+)")
ENDS = {
    "POV-Ray finished": ("finished", logging.INFO),
    "Render failed": ("render_failed", logging.ERROR),
    "Render cancelled by user": ("render_cancelled", logging.WARNING),
}
RULE = re.compile(r"^-{20,}$")
# The first line after the credits.
BODY = re.compile(r"^(?:Parser Options|Rendering frame |==== \[)")

# POV-Ray wraps messages at this column: between words (the continuation starts with a space) or within a long word.
COLUMNS = 80
# Pixels. The trace renders blocks of 32 x 32 pixels, radiosity's pretrace samples of a block; 3.7 prints both alike.
BLOCK = 32 * 32
SURELY_MANY = 16 * BLOCK
IN_PRETRACE, TRACING, PLAIN = "pretrace", "tracing", "plain"
# Share of the pretrace in a frame's progress, percent: its lines run from 0 to 100, and so do those of the trace.
PRETRACE_SHARE = 10.0


class PovrayParser(LineParser):
    """Parse POV-Ray's output and join its wrapped lines.

    Ranks of errors: 3 an error with a file and line, 2 a fatal error, 1 a message without a label.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending: Optional[str] = None  # a line that the next line may continue
        self._pending_tail = ""  # the last printed part of the pending line
        self._in_body = False
        self._signalled = False
        self._stage = ""
        self._top = 0  # the highest pixel count of this stage

    def feed(self, chunk: bytes) -> List[Event]:
        """Return the events of the next chunk."""
        events: List[Event] = []
        for line in self._splitter.feed(chunk):
            self._take(line, events)
        return events

    def close(self) -> List[Event]:
        """Return the events of the rest."""
        events: List[Event] = []
        for line in self._splitter.close():
            self._take(line, events)
        self._release(events)
        return events

    def _take(self, line: str, events: List[Event]) -> None:
        progress = PROGRESS.match(line)
        pretrace = PRETRACE.match(line)
        if progress or pretrace:
            self._release(events)
            self._progress(progress or pretrace, bool(pretrace), events)
        elif self._pending is not None and self._continues(line):
            self._pending += line
            self._pending_tail = line
        else:
            self._release(events)
            if line.strip():
                self._pending = self._pending_tail = line

    def _continues(self, line: str) -> bool:
        """Return whether ``line`` continues the pending line."""
        last = self._pending_tail
        if line.startswith(" ") and not line.startswith("  "):
            # A wrapped line had no room for the next word.
            return len(last) + 1 + len(line.split(None, 1)[0] if line.strip() else "") >= COLUMNS
        # Rules and padded credits have the full width too, but are not cut within a word.
        return len(last) == COLUMNS and not last.endswith(" ") and bool(line) and not line.startswith(" ")

    def _release(self, events: List[Event]) -> None:
        if self._pending is not None:
            line, self._pending = self._pending, None
            event = self.event(line.rstrip())
            if event:
                events.append(event)

    def event(self, line: str) -> Optional[Event]:
        """Return the event of a joined line, or None to skip the line."""
        if not self._in_body and BODY.match(line):
            self._in_body = True
        message = MESSAGE.match(line)
        if message:
            return self._message(message, line)
        found = VERSION.match(line)
        if found:
            return Event("version", logging.INFO, line, {"version": found.group(1)})
        if line in ENDS:
            kind, level = ENDS[line]
            return Event(kind, level, line, {})
        found = SIGNAL.match(line)
        if found:
            self._signalled = True
            return Event("signal", logging.WARNING, line, {"signal": found.group(1)})
        if COMPLAINT.match(line):
            self.explain(1, line)
            return Event("complaint", logging.WARNING, line, {})
        if not self._in_body or RULE.match(line):
            return None
        return self._body(line)

    def _body(self, line: str) -> Event:
        found = PHASE.match(line)
        if found:
            phase = found.group(1).lower()
            if phase == "rendering":
                self._stage, self._top = "", 0
            return Event("phase", logging.INFO, phase, {"phase": phase})
        found = FRAME.match(line)
        if found:
            # The line has the position in the requested range, not the frame's number.
            self.percent = 0.0
            return Event("frame", logging.DEBUG, line, {"position": int(found.group(1)), "of": int(found.group(2))})
        found = TRACE_TIME.match(line)
        if found:
            return Event("trace_time", logging.INFO, line.strip(), {"seconds": float(found.group(1))})
        return Event("line", logging.DEBUG, line, {})

    def _message(self, found: Any, line: str) -> Event:
        label = found.group("label")
        data: Dict[str, Any] = {}
        if found.group("file") is not None:
            data = {"file": found.group("file"), "line": int(found.group("line"))}
        if label.endswith("Warning") or found.group("possible"):
            # POV-Ray continues after a "Possible Parse Error".
            return Event("warning", logging.WARNING, line, data)
        if label.startswith("Fatal"):
            if self._signalled:
                return Event("fatal", logging.WARNING, line, data)
            self.explain(2, line)
            return Event("fatal", logging.ERROR, line, data)
        self.explain(3, line)
        return Event(label.lower().replace(" ", "_").replace("-", "_"), logging.ERROR, line, data)

    def _progress(self, found: Any, named_pretrace: bool, events: List[Event]) -> None:
        done, total, part = (int(group) for group in found.groups())
        stage = self._next_stage(done, total, named_pretrace)
        if stage != self._stage:
            self._stage, self._top = stage, 0
            if stage != PLAIN:
                events.append(Event("phase", logging.INFO, stage, {"phase": stage}))
        self._top = max(self._top, done)
        if stage == IN_PRETRACE:
            percent = part * PRETRACE_SHARE / 100
        elif stage == TRACING:
            percent = PRETRACE_SHARE + part * (100 - PRETRACE_SHARE) / 100
        else:
            percent = float(part)
        event = self.progress(percent, {"done": done, "total": total})
        if event:
            events.append(event)

    def _next_stage(self, done: int, total: int, named_pretrace: bool) -> str:
        """Return the stage of a progress line.

        The pretrace starts below one block of pixels; the count falls when the trace starts.
        """
        if named_pretrace:
            return IN_PRETRACE
        if not self._stage:
            return IN_PRETRACE if done < BLOCK and done < total else PLAIN
        # Counts may fall by a few blocks within a stage. The pretrace of a resumed render ends below 100 %, because it
        # omits finished blocks.
        if done * 2 < self._top and (self._top > SURELY_MANY or self._top * 20 > total * 19):
            return TRACING
        return self._stage
