"""Limit the rate of log messages and events: a flood must not block the client."""

import time


class Limiter:
    """A token bucket: ``burst`` tokens, refilled with ``rate`` tokens per second.

    ``refused`` counts the calls without a token.
    """

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = burst
        self._seen = time.monotonic()
        self.refused = 0

    def allows(self) -> bool:
        """Take a token; return whether the bucket had a token."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True
