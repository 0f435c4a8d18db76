"""One switch that ends the client: set by a signal, the server, or the clock; first reason wins."""

import os
import select
from typing import Optional

TERMINATED = "terminated"  # SIGTERM or SIGINT
STOPPED = "stopped"  # the server said stop
CANCELLED = "cancelled"  # the server says the batch is cancelled
FENCED = "fenced"  # another client owns the batch
REFUSED = "refused"  # the server refuses the token
SPAWNER_LOST = "the process that starts renderers has ended"
WALLTIME = "walltime"  # the margin before the walltime's end is reached


class StopSwitch:
    """A level-triggered switch with a file descriptor.

    It is a pipe and not a threading.Event because a signal handler sets it: an Event's lock may be held by the very
    thread that the handler interrupts.
    """

    def __init__(self) -> None:
        self.reason: Optional[str] = None
        self.draining = False  # finish the frame in work, claim no more
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self, reason: str) -> None:
        """Throw the switch; later reasons change nothing."""
        if self.reason is None:
            self.reason = reason
            os.write(self._write, b"x")

    def wait(self, seconds: float) -> bool:
        """Wait until the switch is thrown, at most ``seconds``; return whether it is."""
        select.select([self._read], [], [], max(0.0, seconds))
        return self.reason is not None

    def fileno(self) -> int:
        """Return the descriptor that is readable once the switch is thrown."""
        return self._read

    def close(self) -> None:
        """Release the pipe."""
        os.close(self._read)
        os.close(self._write)
