"""Log messages on disk while the log server is away."""

import os
import threading
from contextlib import suppress
from typing import Iterable, List

from .gelf_message import is_debug
from .gelf_queue import Frame

# No message is longer.
TAIL_BYTES = 1024 * 1024
# What was sent is cut off the file when it is this part of the whole: then copying the rest is worth it.
WORTH_IT = 8


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
        self._peeked = 0
        self._has_debug = self._size > 0
        self._displaced = 0

    def __bool__(self) -> bool:
        return self._file >= 0 and self._position < self._size

    def append(self, frames: Iterable[Frame]) -> List[Frame]:
        """Write messages; return those that did not fit. DEBUG may use half of the space, until others need it."""
        with self._lock:
            return [frame for frame in frames if not (self._make_room(frame) and self._write(frame))]

    def take_displaced(self) -> int:
        """Return how many DEBUG messages went out of the file for others since this was last asked."""
        with self._lock:
            displaced, self._displaced = self._displaced, 0
            return displaced

    def peek(self, limit: int) -> List[bytes]:
        """Return the next messages, up to ``limit`` bytes of them but at least one."""
        with self._lock:
            if not self:
                return []
            data = os.pread(self._file, min(limit, self._size - self._position), self._position)
            if b"\n" not in data:
                data = os.pread(self._file, self._size - self._position, self._position)
                data = data[: data.find(b"\n") + 1]
            self._peeked = data.rfind(b"\n") + 1
            return data[: self._peeked].splitlines()

    def advance(self, count: int) -> None:
        """Forget ``count`` bytes of what was peeked at: they were sent."""
        with self._lock:
            self._peeked = 0
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
                self._rewrite(without_debug=False)
            os.close(self._file)
            self._file = -1

    def _fits(self, frame: Frame) -> bool:
        room = self._max_bytes // 2 if frame.debug else self._max_bytes
        return self._size + len(frame.data) + 1 <= room

    def _make_room(self, frame: Frame) -> bool:
        """Drop what was sent and, for a message that is not DEBUG, those that are; return whether it fits then.

        No DEBUG comes after them before half of the space is free again, so the file is not copied again and again.
        """
        if self._file < 0:
            return False
        without_debug = self._has_debug and not frame.debug
        if not self._fits(frame) and (without_debug or self._position >= self._max_bytes // WORTH_IT):
            self._rewrite(without_debug)
        return self._fits(frame)

    def _rewrite(self, without_debug: bool) -> None:
        """Move what stays to the front of the file.

        A line is written over others that have moved already: a process that dies in between leaves some twice, one of
        them cut, and none is missing. What was peeked at stays as it is, because ``advance`` will count it.
        """
        start, end = self._position, 0
        with suppress(OSError), open(os.dup(self._file), "rb") as old:
            old.seek(start)
            for line in old:
                start += len(line)
                if start > self._size:
                    break
                if without_debug and start > self._position + self._peeked and is_debug(line):
                    self._displaced += 1
                else:
                    end += os.pwrite(self._file, line, end)
            os.ftruncate(self._file, end)
            self._position, self._size = 0, end
            self._has_debug = self._has_debug and not without_debug

    def _write(self, frame: Frame) -> bool:
        """Append a line wholly or not at all; return whether it is there."""
        line = frame.data + b"\n"
        try:
            if os.pwrite(self._file, line, self._size) == len(line):
                self._size += len(line)
                self._has_debug = self._has_debug or frame.debug
                return True
        except OSError:
            pass
        with suppress(OSError):
            os.ftruncate(self._file, self._size)
        return False
