"""Log messages on disk while the log server is away."""

import os
from typing import Iterable, List

from .gelf_queue import Frame


class LogSpool:
    """A file of one JSON text per line, read from the front, emptied once it is read. One thread uses it."""

    def __init__(self, path: str, max_bytes: int) -> None:
        """Take up what an earlier client of the batch left. Raises OSError."""
        self._max_bytes = max_bytes
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size
        self._position = 0

    def __bool__(self) -> bool:
        return self._position < self._size

    def append(self, frames: Iterable[Frame]) -> List[Frame]:
        """Write messages; return those that did not fit. DEBUG may use half of the space."""
        refused = []
        for frame in frames:
            line = frame.data + b"\n"
            room = self._max_bytes // 2 if frame.debug else self._max_bytes
            try:
                if self._size + len(line) > room or os.pwrite(self._file, line, self._size) != len(line):
                    refused.append(frame)
                else:
                    self._size += len(line)
            except OSError:
                refused.append(frame)
        return refused

    def peek(self, limit: int) -> List[bytes]:
        """Return the next messages, up to ``limit`` bytes of them but at least one."""
        data = os.pread(self._file, min(limit, self._size - self._position), self._position)
        end = data.rfind(b"\n")
        if end < 0 and self:
            data = os.pread(self._file, self._size - self._position, self._position)
            end = data.find(b"\n")
            if end < 0:  # the unfinished line of a crash
                self.advance(len(data))
                return []
        return data[: end + 1].splitlines()

    def advance(self, count: int) -> None:
        """Forget ``count`` bytes that were sent."""
        self._position += count
        if self._position >= self._size:
            os.ftruncate(self._file, 0)
            self._position = self._size = 0

    def close(self) -> None:
        """Drop what was sent from the file and close it."""
        if self._position:
            rest = os.pread(self._file, self._size - self._position, self._position)
            os.pwrite(self._file, rest, 0)
            os.ftruncate(self._file, len(rest))
        os.close(self._file)
