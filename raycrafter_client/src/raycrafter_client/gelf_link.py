"""A TLS connection to the log server. How messages go over it is for gelf_tcp and gelf_http to say."""

import socket
import ssl
from contextlib import suppress
from typing import List, Sequence, Tuple

from .gelf_queue import Frame

# How long the kernel lets sent bytes stay unacknowledged before the connection counts as dead, milliseconds.
USER_TIMEOUT_MS = 10000


class Link:
    """A connected socket. Every method raises OSError when the connection is no good."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect and shake hands."""
        try:
            plain = socket.create_connection((host, port), timeout)
            try:
                if hasattr(socket, "TCP_USER_TIMEOUT"):
                    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket = context.wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise
        except ssl.CertificateError as error:  # no OSError before Python 3.7
            raise OSError(str(error)) from error
        self._timeout = timeout
        # how many messages of the last call of deliver() need not be kept for another connection
        self.delivered = 0

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Send messages in order; ``delivered`` tells how many of them are done with, also after an OSError."""
        raise NotImplementedError

    def doubtful(self) -> List[Frame]:
        """Return the delivered messages that are lost if the connection has died."""
        return []

    def take_refused(self) -> List[Tuple[Frame, str]]:
        """Return the messages that the server does not want, and why. They count as delivered."""
        return []

    def check(self) -> None:
        """Look whether the peer has closed or refused: unasked it never says anything else that matters."""
        self._socket.settimeout(0)
        try:
            while self._socket.recv(4096):
                pass
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        finally:
            self._socket.settimeout(self._timeout)
        raise ConnectionResetError("the log server closed the connection")

    def close(self) -> None:
        """Say goodbye, so that the server reads what was sent to the end, and close."""
        with suppress(OSError, ValueError):
            self._socket.settimeout(1.0)
            self._socket.unwrap()
        with suppress(OSError):
            self._socket.close()
