"""Messages between the program and the sending thread: bounded, and the unimportant go first."""

import threading
from collections import deque
from typing import Deque, List, NamedTuple


class Frame(NamedTuple):
    """One encoded message."""

    seq: int
    debug: bool
    data: bytes


class Dropped(NamedTuple):
    """How many messages were lost since the start."""

    debug: int
    other: int


class BoundedQueue:
    """A queue that never blocks the producer. When it is full, the oldest DEBUG message goes, else the oldest one."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._debug: Deque[Frame] = deque()
        self._other: Deque[Frame] = deque()
        self._bytes = 0
        self._dropped = Dropped(0, 0)

    def put(self, frame: Frame) -> None:
        """Add a message, and drop others for it."""
        with self._changed:
            (self._debug if frame.debug else self._other).append(frame)
            self._bytes += len(frame.data)
            while len(self._debug) + len(self._other) > self._max_messages or self._bytes > self._max_bytes:
                oldest = (self._debug or self._other).popleft()
                self._bytes -= len(oldest.data)
                self._count(oldest)
            self._changed.notify()

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for a message; return whether there is one."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._debug or self._other, seconds))

    def take(self, limit: int) -> List[Frame]:
        """Return up to ``limit`` messages in the order they came."""
        with self._changed:
            frames: List[Frame] = []
            while len(frames) < limit and (self._debug or self._other):
                first = self._debug
                if not self._debug or (self._other and self._other[0].seq < self._debug[0].seq):
                    first = self._other
                frame = first.popleft()
                self._bytes -= len(frame.data)
                frames.append(frame)
            return frames

    def count_dropped(self, frame: Frame) -> None:
        """Count a message that was lost elsewhere."""
        with self._changed:
            self._count(frame)

    def dropped(self) -> Dropped:
        """Return how many messages were lost since the start."""
        with self._changed:
            return self._dropped

    def wake(self) -> None:
        """Make ``wait`` look again."""
        with self._changed:
            self._changed.notify_all()

    def _count(self, frame: Frame) -> None:
        debug, other = self._dropped
        self._dropped = Dropped(debug + frame.debug, other + (not frame.debug))
