"""Send GELF over TCP: JSON texts that end in a NUL byte, without acknowledgement."""

import select
import ssl
import time
from collections import deque
from typing import Deque, List, Sequence, Tuple

from .gelf_link import Link
from .gelf_queue import LogMessage

# Without acknowledgements, resend the messages of this period when a connection dies. RESEND_SECONDS exceeds the
# kernel's TCP_USER_TIMEOUT, and RESEND_MESSAGES a chunk of the spool file.
RESEND_SECONDS = 15.0
RESEND_MESSAGES = 5000
# With TLS 1.3 the refusal of a client certificate arrives after the handshake: wait this long for it.
REFUSAL_SECONDS = 0.3


class TcpLink(Link):
    """A connection on which a message is delivered when the kernel has taken it."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect, shake hands, and wait for a refusal of the certificate."""
        super().__init__(host, port, context, timeout)
        self._sent: Deque[Tuple[float, LogMessage]] = deque(maxlen=RESEND_MESSAGES)
        try:
            select.select([self._socket], [], [], REFUSAL_SECONDS)
            self.check()
        except BaseException:
            self.close()
            raise

    def deliver(self, messages: Sequence[LogMessage]) -> None:
        """Write messages to the socket."""
        self.delivered = 0
        for message in messages:
            self._socket.sendall(message.data + b"\0")
            self._sent.append((time.monotonic(), message))
            self.delivered += 1

    def doubtful(self) -> List[LogMessage]:
        """Return the messages of the last RESEND_SECONDS."""
        oldest = time.monotonic() - RESEND_SECONDS
        return [message for sent, message in list(self._sent) if sent >= oldest]
