"""What POV-Ray prints on its standard error, as events. Learned from 3.7.0.10; 3.8's pretrace line from its source."""

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
    r"(?P<possible>Possible )?(?P<what>(?:[\w-]+ ){0,2}(?:Error|Warning)|Fatal error in \w+): (?P<text>.*)"
)
# Messages without a label, as "Cannot create render state output file."
COMPLAINT = re.compile(r"^(?:Cannot|Could not|Failed|Unable|Error)\b")
TRACE_TIME = re.compile(r"^\s+Trace Time:.*\((\d+\.\d+) seconds\)")
SIGNAL = re.compile(r"^povray: received signal (\w+)")
ENDS = {
    "POV-Ray finished": ("finished", logging.INFO),
    "Render failed": ("render_failed", logging.ERROR),
    "Render cancelled by user": ("render_cancelled", logging.WARNING),
}
RULE = re.compile(r"^-{20,}$")
# Where the credits end and the options begin.
BODY = re.compile(r"^(?:Parser Options|Rendering frame |==== \[)")

# Messages are wrapped to this many columns: between words with a space before the continuation, or hard in a long word.
COLUMNS = 80
# The trace goes by blocks of 32 x 32 pixels, radiosity's pretrace by samples of them; 3.7 prints both alike.
BLOCK = 32 * 32
SURELY_MANY = 16 * BLOCK
IN_PRETRACE, TRACING, PLAIN = "pretrace", "tracing", "plain"
# Share of the pretrace in the whole, percent. It is short, and the same progress lines run from 0 to 100 a second time.
PRETRACE_SHARE = 10.0


class PovrayParser(LineParser):
    """Joins the lines that POV-Ray wraps. Ranks of its errors: 3 an error with its place, 2 fatal, 1 a complaint."""

    def __init__(self) -> None:
        super().__init__()
        self._held: Optional[str] = None  # a line that may go on in the next one
        self._held_last = ""  # its last printed part
        self._in_body = False
        self._signalled = False
        self._stage = ""
        self._top = 0  # the highest count of pixels printed in this stage

    def feed(self, chunk: bytes) -> List[Event]:
        """Return the events of the next bytes."""
        events: List[Event] = []
        for line in self._splitter.feed(chunk):
            self._take(line, events)
        return events

    def close(self) -> List[Event]:
        """Return the events of what is left."""
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
        elif self._held is not None and self._goes_on(line):
            self._held += line
            self._held_last = line
        else:
            self._release(events)
            if line.strip():
                self._held = self._held_last = line

    def _goes_on(self, line: str) -> bool:
        """Whether ``line`` is the held line's continuation: its first word would not have fitted there."""
        last = self._held_last
        if line.startswith(" ") and not line.startswith("  "):
            return len(last) + 1 + len(line.split(None, 1)[0] if line.strip() else "") >= COLUMNS
        # a rule and credits padded to the full width are not cut words
        return len(last) == COLUMNS and not last.endswith(" ") and bool(line) and not line.startswith(" ")

    def _release(self, events: List[Event]) -> None:
        if self._held is not None:
            line, self._held = self._held, None
            event = self.event(line.rstrip())
            if event:
                events.append(event)

    def event(self, line: str) -> Optional[Event]:
        """Return the event of one whole line, or None when it is not worth keeping."""
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
            # the position in the asked range, not the frame's number
            self.percent = 0.0
            return Event("frame", logging.DEBUG, line, {"position": int(found.group(1)), "of": int(found.group(2))})
        found = TRACE_TIME.match(line)
        if found:
            return Event("trace_time", logging.INFO, line.strip(), {"seconds": float(found.group(1))})
        return Event("line", logging.DEBUG, line, {})

    def _message(self, found: Any, line: str) -> Event:
        what = found.group("what")
        data: Dict[str, Any] = {}
        if found.group("file") is not None:
            data = {"file": found.group("file"), "line": int(found.group("line"))}
        if what.endswith("Warning") or found.group("possible"):
            # "Possible Parse Error" alone ends nothing
            return Event("warning", logging.WARNING, line, data)
        if what.startswith("Fatal"):
            if self._signalled:
                return Event("fatal", logging.WARNING, line, data)
            self.explain(2, line)
            return Event("fatal", logging.ERROR, line, data)
        self.explain(3, line)
        return Event(what.lower().replace(" ", "_").replace("-", "_"), logging.ERROR, line, data)

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
        """Tell the pretrace from the trace by the first count and by the fall of the count between them."""
        if named_pretrace:
            return IN_PRETRACE
        if not self._stage:
            return IN_PRETRACE if done < BLOCK and done < total else PLAIN
        # A few blocks back is ordinary. The pretrace of a resumed render ends below 100 %: it leaves out what is done.
        if done * 2 < self._top and (self._top > SURELY_MANY or self._top * 20 > total * 19):
            return TRACING
        return self._stage
