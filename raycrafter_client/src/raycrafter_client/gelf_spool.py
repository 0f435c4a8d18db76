"""Log messages on disk while the log server is away."""

import os
import threading
from contextlib import suppress
from typing import Iterable, List

from .gelf_queue import Frame

# No message is longer.
TAIL_BYTES = 1024 * 1024


class LogSpool:
    """A file of one JSON text per line, read from the front, emptied once it is read. A closed one refuses all."""

    def __init__(self, path: str, max_bytes: int) -> None:
        """Take up what an earlier client of the batch left, but no line cut by a crash. Raises OSError."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        size = os.fstat(self._file).st_size
        start = max(0, size - TAIL_BYTES)
        self._size = start + os.pread(self._file, TAIL_BYTES, start).rfind(b"\n") + 1
        os.ftruncate(self._file, self._size)
        self._position = 0

    def __bool__(self) -> bool:
        return self._file >= 0 and self._position < self._size

    def append(self, frames: Iterable[Frame]) -> List[Frame]:
        """Write messages; return those that did not fit. DEBUG may use half of the space."""
        with self._lock:
            return [frame for frame in frames if not self._write(frame)]

    def peek(self, limit: int) -> List[bytes]:
        """Return the next messages, up to ``limit`` bytes of them but at least one."""
        with self._lock:
            if not self:
                return []
            data = os.pread(self._file, min(limit, self._size - self._position), self._position)
            if b"\n" not in data:
                data = os.pread(self._file, self._size - self._position, self._position)
                data = data[: data.find(b"\n") + 1]
            return data[: data.rfind(b"\n") + 1].splitlines()

    def advance(self, count: int) -> None:
        """Forget ``count`` bytes that were sent."""
        with self._lock:
            self._position += count
            if self._file >= 0 and self._position >= self._size:
                os.ftruncate(self._file, 0)
                self._position = self._size = 0

    def close(self) -> None:
        """Drop what was sent from the file and close it."""
        with self._lock:
            if self._file < 0:
                return
            if self._position:
                rest = os.pread(self._file, self._size - self._position, self._position)
                os.pwrite(self._file, rest, 0)
                os.ftruncate(self._file, len(rest))
            os.close(self._file)
            self._file = -1

    def _write(self, frame: Frame) -> bool:
        """Append a line wholly or not at all; return whether it is there."""
        line = frame.data + b"\n"
        room = self._max_bytes // 2 if frame.debug else self._max_bytes
        if self._file < 0 or self._size + len(line) > room:
            return False
        try:
            if os.pwrite(self._file, line, self._size) == len(line):
                self._size += len(line)
                return True
        except OSError:
            pass
        with suppress(OSError):
            os.ftruncate(self._file, self._size)
        return False
