"""What Blender prints, as events. Learned from 3.4.1, 4.2, 4.5 and 5.0.1; its two outputs speak the same language."""

import logging
import re
from typing import Any, Dict, Optional

from .parsing import Event, LineParser

VERSION = re.compile(r"^Blender (\d+\.\d+\S*)")
# Blender 5 logs with the time since the start, a category, and a level where it is more than information.
LOGGED = re.compile(r"^((?:\d+:)?\d+:\d+\.\d{3}  [\w.]+ +\| )(?:(FATAL|ERROR|WARNING) )?")
FRAME = re.compile(r"^Fra:(\d+) ")
MEMORY = re.compile(r"\bMem:([\d.]+)M \(Peak ([\d.]+)M\)")
REMAINING = re.compile(r"\bRemaining:\s*([\d:.]+)")
# Cycles, with tiles where the picture is large; Eevee and the Workbench.
SAMPLES = re.compile(r"\b(?:Rendered (\d+)/(\d+) Tiles, )?Sample (\d+)/(\d+)$|\bRendering (\d+) / (\d+) samples$")
SAVED = re.compile(r"^Saved: '(.*)'")
FRAME_TIME = re.compile(r"^\s*Time: ([\d:.]+) \(Saving: ")
# What Python prints of an exception ends with the first line that is not indented: its name and its text.
EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?::|$)")
TRACEBACK = "Traceback (most recent call last):"
SCRIPT_FAILED = re.compile(r"^Error: script failed,")
# Messages without a label. A compute node has nothing to make sounds with.
COMPLAINT = re.compile(r"^(?:Cannot|Can't|Could not|Couldn't|Failed|Unable)\b(?! to initialise audio)")

# What explains a failure, from the least to the best.
COMPLAINED, SCRIPT, SAID, RAISED = range(1, 5)
LEVELS = {"WARNING": "Warning: ", "ERROR": "Error: ", "FATAL": "Error: "}


class BlenderParser(LineParser):
    """One of Blender's outputs. Several frames of one process are told apart."""

    def __init__(self) -> None:
        super().__init__()
        self._frame = ""
        self._phase = ""
        self._in_traceback = False
        self._indent = ""  # of the lines that belong to a logged one

    def explain(self, rank: int, text: str) -> None:
        """Keep the last text of the highest rank: Blender goes on after a lesser error, as a missing texture."""
        if rank >= self.error_rank:
            self.error_rank, self.error = rank, text

    def event(self, line: str) -> Optional[Event]:
        """Return the event of one line, or None for the steps of a frame that is prepared."""
        line = self._unlogged(line)
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

    def _unlogged(self, line: str) -> str:
        """Return a line as it is where nothing is put before it."""
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
            # The first line of the samples mostly says that none is done.
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
        # When a tile is done, the line that counts it still has its samples.
        return 100.0 * (tiles_done + (part if part < 1 else 0)) / tiles
    return 100.0 * part


def _figures(line: str) -> Dict[str, Any]:
    """Return memory in MiB and the time that Blender thinks it still needs in seconds, as far as the line has them."""
    figures: Dict[str, Any] = {}
    memory, remaining = MEMORY.search(line), REMAINING.search(line)
    if memory:
        figures.update(memory_mib=float(memory.group(1)), peak_mib=float(memory.group(2)))
    if remaining:
        figures["remaining_seconds"] = _seconds(remaining.group(1))
    return figures


def _seconds(text: str) -> float:
    """Return the seconds of [HH:]MM:SS.ff."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 2)
