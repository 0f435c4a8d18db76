"""Waiting times between tries."""

import random

# Many clients lose the server in the same second; this spreads their return.
_RANDOM = random.SystemRandom()


class Backoff:
    """Doubling waiting times with jitter."""

    def __init__(self, first: float = 1.0, limit: float = 30.0) -> None:
        """Begin at ``first`` seconds and never exceed ``limit`` seconds."""
        self._first = first
        self._limit = limit
        self._next = first

    def next(self) -> float:
        """Return how many seconds to wait now: half to one and a half of the present step."""
        step, self._next = self._next, min(self._limit, self._next * 2)
        return min(self._limit, step * _RANDOM.uniform(0.5, 1.5))

    def reset(self) -> None:
        """Begin anew after a success."""
        self._next = self._first
