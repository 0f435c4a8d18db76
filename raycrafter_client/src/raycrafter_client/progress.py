"""Share the running frame's progress and last lines with the heartbeat thread."""

import threading
from collections import deque
from typing import Any, Deque, Dict, List, Optional

# The part of the renderer's log that every heartbeat and result carries.
LOG_LINES = 50
LOG_CHARACTERS = 4000


class Progress:
    """Progress of the running frame, if any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Optional[Dict[str, Any]] = None
        self._lines: Deque[str] = deque(maxlen=LOG_LINES)

    def begin(self, number: int, attempt: int) -> None:
        """Start a frame."""
        with self._lock:
            self._frame = {"number": number, "attempt": attempt, "percent": 0.0}
            self._lines.clear()

    def percent(self, value: float) -> None:
        """Set the running frame's percentage."""
        with self._lock:
            if self._frame is not None:
                self._frame["percent"] = round(value, 1)

    def line(self, text: str) -> None:
        """Add a line of the renderer's output."""
        with self._lock:
            self._lines.append(text)

    def log(self) -> str:
        """Return the last lines, up to the server's limit."""
        with self._lock:
            return self._log()

    def end(self) -> None:
        """End the running frame."""
        with self._lock:
            self._frame = None

    def is_current(self, frames: List[Dict[str, Any]]) -> bool:
        """Return whether the snapshot ``frames`` names the same frame as now, or none."""
        keys = [(frame["number"], frame["attempt"]) for frame in frames]
        return keys == [(frame["number"], frame["attempt"]) for frame in self.snapshot()]

    def snapshot(self) -> List[Dict[str, Any]]:
        """Return the frames for a heartbeat: number, attempt, percent and log of each."""
        with self._lock:
            return [dict(self._frame, log=self._log())] if self._frame is not None else []

    def _log(self) -> str:
        return "\n".join(self._lines)[-LOG_CHARACTERS:]
