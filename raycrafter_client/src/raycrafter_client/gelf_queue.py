"""Messages between the program and the sending thread: bounded, and the unimportant go first."""

import threading
from collections import deque
from typing import Deque, List, NamedTuple, Tuple


class Frame(NamedTuple):
    """One encoded message."""

    seq: int
    debug: bool
    data: bytes


class BoundedQueue:
    """A queue that never blocks the producer. When it is full, the oldest DEBUG message goes, else the newest one."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._debug: Deque[Frame] = deque()
        self._other: Deque[Frame] = deque()
        self._bytes = 0
        self._dropped_debug = 0
        self._dropped_other = 0

    def put(self, frame: Frame) -> None:
        """Add a message or drop one."""
        with self._changed:
            (self._debug if frame.debug else self._other).append(frame)
            self._bytes += len(frame.data)
            while len(self._debug) + len(self._other) > self._max_messages or self._bytes > self._max_bytes:
                if self._debug:
                    self._bytes -= len(self._debug.popleft().data)
                    self._dropped_debug += 1
                else:
                    self._bytes -= len(self._other.pop().data)
                    self._dropped_other += 1
            self._changed.notify()

    def take(self, limit: int, seconds: float) -> List[Frame]:
        """Return up to ``limit`` messages in the order they came; wait at most ``seconds`` for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._debug or self._other, seconds)
            frames: List[Frame] = []
            while len(frames) < limit and (self._debug or self._other):
                first = self._debug
                if not self._debug or (self._other and self._other[0].seq < self._debug[0].seq):
                    first = self._other
                frame = first.popleft()
                self._bytes -= len(frame.data)
                frames.append(frame)
            return frames

    def count_dropped(self, debug: bool) -> None:
        """Count a message that was lost elsewhere."""
        with self._changed:
            if debug:
                self._dropped_debug += 1
            else:
                self._dropped_other += 1

    def take_dropped(self) -> Tuple[int, int]:
        """Return how many DEBUG and how many other messages were dropped since the last call."""
        with self._changed:
            dropped = self._dropped_debug, self._dropped_other
            self._dropped_debug = self._dropped_other = 0
            return dropped

    def wake(self) -> None:
        """Make ``take`` look again."""
        with self._changed:
            self._changed.notify_all()
