"""Keep events on disk until the server has acknowledged them.

The spool is an append-only file of JSON lines and a file with the last acknowledged number.
"""

import json
import os
import threading
from collections import deque
from contextlib import suppress
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Deque, Dict, List

# A frame has about ten events of 300 bytes: enough for a thousand frames without a network.
MAX_PENDING = 20000
MAX_TEXT = 2000  # characters; the server's limit for a message


class EventSpool:
    """Numbered events (seq 1, 2, 3 …), safe for several threads.

    A full disk raises no error; ``lost`` counts failed writes and dropped events.
    """

    def __init__(self, directory: str) -> None:
        """Open the spool and load an earlier client's unacknowledged events.

        Raises OSError.
        """
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._acked_path = os.path.join(directory, "events.acked")
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._pending: Deque[Dict[str, Any]] = deque()
        self.lost = 0
        acked = self._read_acked()
        self._last = acked
        path = os.path.join(directory, "events.jsonl")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0
        self._recover(path, acked)

    def add(self, event: Dict[str, Any]) -> None:
        """Add an event in the server's format; set its ``seq`` and ``time``."""
        with self._lock:
            self._last += 1
            now = datetime.now(timezone.utc).isoformat()
            event = dict(event, seq=self._last, time=now, message=event["message"][:MAX_TEXT])
            self._write(json.dumps(event).encode() + b"\n")
            self._pending.append(event)
            if len(self._pending) > MAX_PENDING:
                self._pending.popleft()
                self.lost += 1
            self._changed.notify_all()

    def pending(self, limit: int) -> List[Dict[str, Any]]:
        """Return up to ``limit`` unacknowledged events, oldest first."""
        with self._lock:
            return list(islice(self._pending, limit))

    def acknowledge(self, seq: int) -> None:
        """Remove the events up to ``seq``, which the server has."""
        with self._lock:
            while self._pending and self._pending[0]["seq"] <= seq:
                self._pending.popleft()
            # A higher number from the server means that this file was lost: do not use its numbers again.
            self._last = max(self._last, seq)
            try:
                temporary = self._acked_path + ".tmp"
                with open(temporary, "w", encoding="ascii") as file:
                    file.write("{}\n".format(seq))
                os.replace(temporary, self._acked_path)
            except OSError:
                self.lost += 1  # a restart sends these events again; the server drops duplicates
            self._changed.notify_all()

    def wait_pending(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for an unacknowledged event; return whether one exists."""
        with self._lock:
            return bool(self._changed.wait_for(lambda: self._pending, seconds))

    def wait_empty(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for the last acknowledgement; return whether it came."""
        with self._lock:
            return bool(self._changed.wait_for(lambda: not self._pending, seconds))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        """Append a whole line or nothing.

        An event that is not on disk is still sent from memory.
        """
        try:
            if os.write(self._file, line) == len(line):
                self._size += len(line)
                return
            os.ftruncate(self._file, self._size)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
        self.lost += 1

    def _read_acked(self) -> int:
        try:
            with open(self._acked_path, encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return 0

    def _recover(self, path: str, acked: int) -> None:
        """Load unacknowledged events; remove a last line that a crash has cut."""
        with open(path, "rb") as file:
            for line in file:
                try:
                    event = json.loads(line.decode("utf-8"))
                    seq = int(event["seq"])
                except (ValueError, KeyError, TypeError):
                    break
                if not line.endswith(b"\n"):
                    break
                self._size += len(line)
                self._last = max(self._last, seq)
                if seq > acked:
                    self._pending.append(event)
        os.ftruncate(self._file, self._size)
