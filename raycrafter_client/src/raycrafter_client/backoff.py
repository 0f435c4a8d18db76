"""Compute the pauses between attempts."""

import random

# All clients lose the server in the same second: jitter spreads their reconnects.
_RANDOM = random.SystemRandom()


class Backoff:
    """Exponential backoff with jitter."""

    def __init__(self, first: float = 1.0, limit: float = 30.0) -> None:
        """Start at ``first`` seconds and never exceed ``limit`` seconds."""
        self._first = first
        self._limit = limit
        self._next = first

    def next(self) -> float:
        """Return the next pause in seconds: 0.5 to 1.5 times the current step."""
        step, self._next = self._next, min(self._limit, self._next * 2)
        return min(self._limit, step * _RANDOM.uniform(0.5, 1.5))

    def reset(self) -> None:
        """Return to the first step after a success."""
        self._next = self._first
