"""Queue messages for the sending thread; a full queue drops DEBUG messages first."""

import threading
from collections import deque
from typing import Deque, List, NamedTuple


class LogMessage(NamedTuple):
    """An encoded message and its sequence number."""

    seq: int
    debug: bool
    data: bytes


class Dropped(NamedTuple):
    """Counts of dropped messages since the start."""

    debug: int
    other: int


class BoundedQueue:
    """A queue that never blocks the producer.

    A full queue drops its oldest DEBUG message, or without DEBUG messages its oldest message.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._debug: Deque[LogMessage] = deque()
        self._other: Deque[LogMessage] = deque()
        self._bytes = 0
        self._dropped = Dropped(0, 0)

    def put(self, message: LogMessage) -> None:
        """Add a message; drop other messages if the queue is full."""
        with self._changed:
            (self._debug if message.debug else self._other).append(message)
            self._bytes += len(message.data)
            while len(self._debug) + len(self._other) > self._max_messages or self._bytes > self._max_bytes:
                oldest = (self._debug or self._other).popleft()
                self._bytes -= len(oldest.data)
                self._count(oldest)
            self._changed.notify()

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for a message; return whether the queue has a message."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._debug or self._other, seconds))

    def take(self, limit: int) -> List[LogMessage]:
        """Remove and return up to ``limit`` messages, oldest first."""
        with self._changed:
            messages: List[LogMessage] = []
            while len(messages) < limit and (self._debug or self._other):
                first = self._debug
                if not self._debug or (self._other and self._other[0].seq < self._debug[0].seq):
                    first = self._other
                message = first.popleft()
                self._bytes -= len(message.data)
                messages.append(message)
            return messages

    def count_dropped(self, message: LogMessage) -> None:
        """Count a message that was dropped elsewhere."""
        with self._changed:
            self._count(message)

    def dropped(self) -> Dropped:
        """Return the counts of dropped messages since the start."""
        with self._changed:
            return self._dropped

    def wake(self) -> None:
        """Wake up ``wait``."""
        with self._changed:
            self._changed.notify_all()

    def _count(self, message: LogMessage) -> None:
        debug, other = self._dropped
        self._dropped = Dropped(debug + message.debug, other + (not message.debug))
