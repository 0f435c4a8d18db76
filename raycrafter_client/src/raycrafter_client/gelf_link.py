"""One TLS connection to the log server. GELF over TCP is a JSON text and a NUL byte, without compression."""

import select
import socket
import ssl
from contextlib import suppress

# How long the kernel lets sent bytes stay unacknowledged before the connection counts as dead, milliseconds.
USER_TIMEOUT_MS = 10000
# With TLS 1.3 a client learns only after the handshake that its certificate is refused: wait this long for the refusal.
REFUSAL_SECONDS = 0.3


class Link:
    """A connected socket. Every method raises OSError when the connection is no good."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect, shake hands, and wait a moment for a refusal."""
        try:
            plain = socket.create_connection((host, port), timeout)
            try:
                if hasattr(socket, "TCP_USER_TIMEOUT"):
                    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
                self._socket = context.wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise
        except ssl.CertificateError as error:  # no OSError before Python 3.7
            raise OSError(str(error)) from error
        self._timeout = timeout
        try:
            select.select([self._socket], [], [], REFUSAL_SECONDS)
            self.check()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Look whether the peer has closed or refused: it never sends anything else that matters."""
        self._socket.settimeout(0)
        try:
            while self._socket.recv(4096):
                pass
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        finally:
            self._socket.settimeout(self._timeout)
        raise ConnectionResetError("the log server closed the connection")

    def send(self, frame: bytes) -> None:
        """Send one message. Success means that the kernel took it, not that the server has it."""
        self._socket.sendall(frame + b"\0")

    def close(self) -> None:
        """Say goodbye, so that the server reads what was sent to the end, and close."""
        with suppress(OSError, ValueError):
            self._socket.settimeout(1.0)
            self._socket.unwrap()
        with suppress(OSError):
            self._socket.close()
