"""Parse Blender's output into events.

Written against the output of 3.4.1, 4.2, 4.5 and 5.0.1. stdout and stderr have the same format.
"""

import logging
import re
from typing import Any, Dict, Optional

from .parsing import Event, LineParser

VERSION = re.compile(r"^Blender (\d+\.\d+\S*)")
# Blender 5 prefixes a line with the time since its start, a category, and a level above INFO.
LOGGED = re.compile(r"^((?:\d+:)?\d+:\d+\.\d{3}  [\w.]+ +\| )(?:(FATAL|ERROR|WARNING) )?")
FRAME = re.compile(r"^Fra:(\d+) ")
MEMORY = re.compile(r"\bMem:([\d.]+)M \(Peak ([\d.]+)M\)")
REMAINING = re.compile(r"\bRemaining:\s*([\d:.]+)")
# Cycles (with tiles for a large image), or Eevee and Workbench.
SAMPLES = re.compile(r"\b(?:Rendered (\d+)/(\d+) Tiles, )?Sample (\d+)/(\d+)$|\bRendering (\d+) / (\d+) samples$")
SAVED = re.compile(r"^Saved: '(.*)'")
FRAME_TIME = re.compile(r"^\s*Time: ([\d:.]+) \(Saving: ")
# A Python traceback ends with its first unindented line: the exception's name and text.
EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?::|$)")
TRACEBACK = "Traceback (most recent call last):"
SCRIPT_FAILED = re.compile(r"^Error: script failed,")
# Messages without a label. Compute nodes have no audio device, so that message is harmless.
COMPLAINT = re.compile(r"^(?:Cannot|Can't|Could not|Couldn't|Failed|Unable)\b(?! to initialise audio)")

# Ranks of explanations for a failure; the highest rank wins.
COMPLAINED, SCRIPT, SAID, RAISED = range(1, 5)
LEVELS = {"WARNING": "Warning: ", "ERROR": "Error: ", "FATAL": "Error: "}


class BlenderParser(LineParser):
    """Parse one output of Blender, also with several frames in one process."""

    def __init__(self) -> None:
        super().__init__()
        self._frame = ""
        self._phase = ""
        self._in_traceback = False
        self._indent = ""  # indentation of the continuation lines of a logged message

    def explain(self, rank: int, text: str) -> None:
        """Keep the last text of the highest rank as the error.

        Blender continues after minor errors such as a missing texture, so that the last error is the cause.
        """
        if rank >= self.error_rank:
            self.error_rank, self.error = rank, text

    def event(self, line: str) -> Optional[Event]:
        """Return the event of one line, or None for a repeated preparation step."""
        line = self._without_prefix(line)
        if self._in_traceback:
            self._in_traceback = line.startswith(" ")
            if not self._in_traceback and EXCEPTION.match(line):
                self.explain(RAISED, line)
                return Event("python_error", logging.ERROR, line, {})
        if line.endswith(TRACEBACK):
            self._in_traceback = True
            return Event("line", logging.DEBUG, line, {})
        frame, samples = FRAME.match(line), SAMPLES.search(line)
        if frame or samples:
            return self._status(line, frame.group(1) if frame else self._frame, samples)
        return self._message(line)

    def _without_prefix(self, line: str) -> str:
        """Remove the prefix that Blender 5 puts before a line."""
        logged = LOGGED.match(line)
        if logged:
            self._indent = " " * len(logged.group(1))
            return LEVELS.get(logged.group(2), "") + line[logged.end() :]
        return line[len(self._indent) :] if line.startswith(self._indent) else line

    def _status(self, line: str, frame: str, samples: Any) -> Optional[Event]:
        if frame != self._frame:
            self._frame, self._phase, self.percent = frame, "", 0.0
        event = self.progress(_percent(samples), _figures(line)) if samples else None
        phase = "rendering" if samples else self._phase or "preparing"
        if phase != self._phase:
            # The first sample line usually reports 0 samples, so the phase event replaces the progress event.
            self._phase = phase
            event = Event("phase", logging.INFO, phase, {"phase": phase})
        return event

    def _message(self, line: str) -> Event:
        found = VERSION.match(line)
        if found:
            return Event("version", logging.INFO, line, {"version": found.group(1)})
        found = SAVED.match(line)
        if found:
            return Event("saved", logging.INFO, line, {"file": found.group(1)})
        found = FRAME_TIME.match(line)
        if found:
            return Event("frame_time", logging.INFO, line.strip(), {"seconds": _seconds(found.group(1))})
        if line.startswith("Warning: "):
            return Event("warning", logging.WARNING, line, {})
        if line.startswith("Error: "):
            self.explain(SCRIPT if SCRIPT_FAILED.match(line) else SAID, line)
            return Event("error", logging.ERROR, line, {})
        if COMPLAINT.match(line):
            self.explain(COMPLAINED, line)
            return Event("complaint", logging.WARNING, line, {})
        if line == "Blender quit":
            return Event("finished", logging.INFO, line, {})
        return Event("line", logging.DEBUG, line, {})


def _percent(samples: Any) -> float:
    tiles_done, tiles, done, total, eevee_done, eevee_total = (int(group or 0) for group in samples.groups())
    part = (done + eevee_done) / max(1, total + eevee_total)
    if tiles:
        # The line that counts a finished tile still shows the samples of that tile.
        return 100.0 * (tiles_done + (part if part < 1 else 0)) / tiles
    return 100.0 * part


def _figures(line: str) -> Dict[str, Any]:
    """Return memory (MiB) and the estimated remaining time (seconds), if printed."""
    figures: Dict[str, Any] = {}
    memory, remaining = MEMORY.search(line), REMAINING.search(line)
    if memory:
        figures.update(memory_mib=float(memory.group(1)), peak_mib=float(memory.group(2)))
    if remaining:
        figures["remaining_seconds"] = _seconds(remaining.group(1))
    return figures


def _seconds(text: str) -> float:
    """Convert [HH:]MM:SS.ff to seconds."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 2)
