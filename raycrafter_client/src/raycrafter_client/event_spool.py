"""Events on disk until the server has them: an append-only file of JSON lines, and the last number acknowledged."""

import json
import os
import threading
from collections import deque
from contextlib import suppress
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Deque, Dict, List

# A frame makes about ten events of some 300 bytes: this many are a thousand and more frames without a network.
MAX_PENDING = 20000
MAX_TEXT = 2000  # characters of a message, as the server keeps them


class EventSpool:
    """Numbered events (seq 1, 2, 3 …). Safe for several threads; a full disk never raises, ``lost`` counts it."""

    def __init__(self, directory: str) -> None:
        """Open the spool and take up what an earlier client of this batch left. Raises OSError."""
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
        """Keep one event as the server takes it; its number and its time are given here."""
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
        """Return up to ``limit`` events that the server does not have, oldest first."""
        with self._lock:
            return list(islice(self._pending, limit))

    def acknowledge(self, seq: int) -> None:
        """Forget the events up to ``seq``: the server has them."""
        with self._lock:
            while self._pending and self._pending[0]["seq"] <= seq:
                self._pending.popleft()
            # a server that knows more than this file has numbers from before the file was lost: never use them again
            self._last = max(self._last, seq)
            try:
                temporary = self._acked_path + ".tmp"
                with open(temporary, "w", encoding="ascii") as file:
                    file.write("{}\n".format(seq))
                os.replace(temporary, self._acked_path)
            except OSError:
                self.lost += 1  # the events are sent once more after a restart; the server drops repeats
            self._changed.notify_all()

    def wait_pending(self, seconds: float) -> bool:
        """Wait until there is something to send, at most ``seconds``; return whether there is."""
        with self._lock:
            return bool(self._changed.wait_for(lambda: self._pending, seconds))

    def wait_empty(self, seconds: float) -> bool:
        """Wait until the server has everything, at most ``seconds``; return whether it has."""
        with self._lock:
            return bool(self._changed.wait_for(lambda: not self._pending, seconds))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        """Append a line wholly or not at all. What does not fit on the disk is still sent if the network holds."""
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
        """Take up unacknowledged events; cut off a last line that a crash left unfinished."""
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
