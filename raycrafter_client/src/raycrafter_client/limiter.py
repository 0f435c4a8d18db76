"""A flood of lines must not keep the client from reading them."""

import time


class Limiter:
    """Lets through ``burst`` at once and ``rate`` a second after that, and counts the others."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = burst
        self._seen = time.monotonic()
        self.refused = 0

    def allows(self) -> bool:
        """Return whether one more may pass now."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True
