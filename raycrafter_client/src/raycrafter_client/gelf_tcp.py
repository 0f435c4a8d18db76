"""GELF over TCP: a JSON text and a NUL byte, without compression and without acknowledgement."""

import select
import ssl
import time
from collections import deque
from typing import Deque, List, Sequence, Tuple

from .gelf_link import Link
from .gelf_queue import Frame

# Nobody tells what has arrived: what was sent this long before a connection died is sent again. Longer than the
# kernel's patience with an unacknowledged send, and more than the handler takes from the disk at a time.
RESEND_SECONDS = 15.0
RESEND_MESSAGES = 5000
# With TLS 1.3 a client learns only after the handshake that its certificate is refused: wait this long for the refusal.
REFUSAL_SECONDS = 0.3


class TcpLink(Link):
    """Delivered means that the kernel took a message, not that the server has it."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect, shake hands, and wait a moment for a refusal."""
        super().__init__(host, port, context, timeout)
        self._sent: Deque[Tuple[float, Frame]] = deque(maxlen=RESEND_MESSAGES)
        try:
            select.select([self._socket], [], [], REFUSAL_SECONDS)
            self.check()
        except BaseException:
            self.close()
            raise

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Hand messages to the kernel."""
        self.delivered = 0
        for frame in frames:
            self._socket.sendall(frame.data + b"\0")
            self._sent.append((time.monotonic(), frame))
            self.delivered += 1

    def doubtful(self) -> List[Frame]:
        """Return what was sent lately."""
        oldest = time.monotonic() - RESEND_SECONDS
        return [frame for sent, frame in list(self._sent) if sent >= oldest]
