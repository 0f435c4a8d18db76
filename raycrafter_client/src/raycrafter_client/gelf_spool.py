"""Keep log messages on disk while the log server is unreachable."""

import os
import threading
from contextlib import suppress
from typing import Iterable, List

from .gelf_message import is_debug
from .gelf_queue import LogMessage

TAIL_BYTES = 1024 * 1024  # longer than any message
# Copy the unsent rest to the front once 1/COMPACT_PART of the file's limit has been sent.
COMPACT_PART = 8


class LogSpool:
    """A file with one JSON text per line, read from the front.

    The file is truncated once all messages are sent. A closed spool accepts no message.
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        """Open the spool of an earlier client, without a line cut by a crash.

        Raises OSError.
        """
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

    def append(self, messages: Iterable[LogMessage]) -> List[LogMessage]:
        """Write messages; return the messages that did not fit.

        DEBUG messages use at most half of the space and make room for other messages.
        """
        with self._lock:
            return [message for message in messages if not (self._make_room(message) and self._write(message))]

    def take_displaced(self) -> int:
        """Return how many DEBUG messages were removed for others since the last call."""
        with self._lock:
            displaced, self._displaced = self._displaced, 0
            return displaced

    def peek(self, limit: int) -> List[bytes]:
        """Return the next messages: at most ``limit`` bytes, but at least one message."""
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
        """Mark the first ``count`` peeked bytes as sent."""
        with self._lock:
            self._peeked = 0
            self._position += count
            if self._file >= 0 and self._position >= self._size:
                os.ftruncate(self._file, 0)
                self._position = self._size = 0

    def close(self) -> None:
        """Remove the sent messages from the file and close it."""
        with self._lock:
            if self._file < 0:
                return
            if self._position:
                self._rewrite(without_debug=False)
            os.close(self._file)
            self._file = -1

    def _fits(self, message: LogMessage) -> bool:
        room = self._max_bytes // 2 if message.debug else self._max_bytes
        return self._size + len(message.data) + 1 <= room

    def _make_room(self, message: LogMessage) -> bool:
        """Remove sent messages, and DEBUG messages for a message of a higher level.

        Return whether the message fits. DEBUG messages are accepted again only when half of the space is free, so that
        the file is not copied for every message.
        """
        if self._file < 0:
            return False
        without_debug = self._has_debug and not message.debug
        if not self._fits(message) and (without_debug or self._position >= self._max_bytes // COMPACT_PART):
            self._rewrite(without_debug)
        return self._fits(message)

    def _rewrite(self, without_debug: bool) -> None:
        """Copy the kept messages to the front of the file.

        A line overwrites only lines that are copied already: a crash duplicates messages and may cut one duplicate, but
        loses none. Peeked messages stay unchanged, because ``advance`` counts their bytes.
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

    def _write(self, message: LogMessage) -> bool:
        """Append a whole line or nothing; return whether the line was written."""
        line = message.data + b"\n"
        try:
            if os.pwrite(self._file, line, self._size) == len(line):
                self._size += len(line)
                self._has_debug = self._has_debug or message.debug
                return True
        except OSError:
            pass
        with suppress(OSError):
            os.ftruncate(self._file, self._size)
        return False
