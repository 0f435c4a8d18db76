"""How far the frame in work is, and what its renderer said last: written by the main thread, read by the heartbeat."""

import threading
from collections import deque
from typing import Any, Deque, Dict, List, Optional

# How much of the renderer's log goes to the server with every heartbeat and result.
LOG_LINES = 50
LOG_CHARACTERS = 4000


class Progress:
    """The frame in work, or none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Optional[Dict[str, Any]] = None
        self._lines: Deque[str] = deque(maxlen=LOG_LINES)

    def begin(self, number: int, attempt: int) -> None:
        """A frame starts."""
        with self._lock:
            self._frame = {"number": number, "attempt": attempt, "percent": 0.0}
            self._lines.clear()

    def percent(self, value: float) -> None:
        """The frame in work has got this far."""
        with self._lock:
            if self._frame is not None:
                self._frame["percent"] = round(value, 1)

    def line(self, text: str) -> None:
        """The renderer has said this."""
        with self._lock:
            self._lines.append(text)

    def log(self) -> str:
        """Return the last lines, as many as the server takes."""
        with self._lock:
            return self._log()

    def end(self) -> None:
        """No frame is in work."""
        with self._lock:
            self._frame = None

    def is_in_work(self, frames: List[Dict[str, Any]]) -> bool:
        """Return whether an earlier snapshot still names the frame in work, or there was none then and is none now."""
        keys = [(frame["number"], frame["attempt"]) for frame in frames]
        return keys == [(frame["number"], frame["attempt"]) for frame in self.snapshot()]

    def snapshot(self) -> List[Dict[str, Any]]:
        """Return what the heartbeat sends."""
        with self._lock:
            return [dict(self._frame, log=self._log())] if self._frame is not None else []

    def _log(self) -> str:
        return "\n".join(self._lines)[-LOG_CHARACTERS:]
