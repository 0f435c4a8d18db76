"""Stop the client by a signal, the server or the clock; the first reason wins."""

import os
import select
from typing import Optional

TERMINATED = "terminated"  # SIGTERM or SIGINT
STOPPED = "stopped"  # the server requested a stop
CANCELLED = "cancelled"  # the batch is cancelled
FENCED = "fenced"  # another client owns the batch
REFUSED = "refused"  # the server refuses the token
SPAWNER_LOST = "the process that starts renderers has ended"
WALLTIME = "walltime"  # the margin before the end of the walltime has begun


class StopSwitch:
    """A level-triggered switch with a file descriptor.

    A pipe, not a threading.Event: a signal handler sets the switch and may interrupt the thread that holds the lock of
    an Event.
    """

    def __init__(self) -> None:
        self.reason: Optional[str] = None
        self.draining = False  # finish the running frame, claim no more frames
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self, reason: str) -> None:
        """Set the switch; ignore later reasons."""
        if self.reason is None:
            self.reason = reason
            os.write(self._write, b"x")

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for the switch; return whether it is set."""
        select.select([self._read], [], [], max(0.0, seconds))
        return self.reason is not None

    def fileno(self) -> int:
        """Return the descriptor that is readable once the switch is set."""
        return self._read

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._read)
        os.close(self._write)
