"""Connect to the log server over TLS. gelf_tcp and gelf_http add the transports."""

import socket
import ssl
from contextlib import suppress
from typing import List, Sequence, Tuple

from .gelf_queue import LogMessage

# TCP_USER_TIMEOUT: unacknowledged bytes of this age (milliseconds) end the connection.
USER_TIMEOUT_MS = 10000


class Link:
    """A connected socket. Every method raises OSError when the connection has failed."""

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
        except ssl.CertificateError as error:  # not an OSError before Python 3.7
            raise OSError(str(error)) from error
        self._timeout = timeout
        self.delivered = 0  # messages of the last deliver() that need no other connection

    def deliver(self, messages: Sequence[LogMessage]) -> None:
        """Send messages in order; count them in ``delivered``, also before an OSError."""
        raise NotImplementedError

    def doubtful(self) -> List[LogMessage]:
        """Return the delivered messages that may be lost if the connection has died."""
        return []

    def take_refused(self) -> List[Tuple[LogMessage, str]]:
        """Return the refused messages, each with the reason; they count as delivered."""
        return []

    def check(self) -> None:
        """Raise OSError if the server has closed the connection; ignore unrequested bytes."""
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
        """Close the TLS session first, so that the server reads every sent byte."""
        with suppress(OSError, ValueError):
            self._socket.settimeout(1.0)
            self._socket.unwrap()
        with suppress(OSError):
            self._socket.close()
