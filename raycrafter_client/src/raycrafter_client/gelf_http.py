"""Send GELF over HTTP: one message per request; the server acknowledges with 202."""

import io
import ssl
from contextlib import closing
from http.client import HTTPException, HTTPResponse
from typing import List, Sequence, Tuple

from . import __version__
from .gelf_link import Link
from .gelf_queue import LogMessage

ACCEPTED = 202
# Requests in flight: waiting for each response would cost a round trip per message.
WINDOW = 64
# Statuses that refuse the message itself, so that a retry is useless. Graylog's input answers 202, or 413 above its
# size limit; 400 and 422 can come from a proxy. Other statuses concern the sender or the server, and treating them as a
# refusal would drop every message: 401 authorization, 404 path, 405 method, 415 content type.
# The hosts' sender has the same list: roles/log_shipping/files/usr/local/lib/raycrafter/gelf_http.py.
REFUSALS = (400, 413, 422)


class Responses(io.BufferedReader):
    """Read the responses on one connection.

    ``HTTPResponse`` uses this object as its socket and must not close it.
    """

    def makefile(self, mode: str) -> "Responses":
        """Return the stream of the next response."""
        return self

    def close(self) -> None:
        """Stay open: more responses follow."""


class HttpLink(Link):
    """A connection on which a message is delivered when the server has responded."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect and shake hands.

        With TLS 1.3 the first read of a response raises the refusal of a client certificate.
        """
        super().__init__(host, port, context, timeout)
        self._head = (
            "POST /gelf HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: raycrafter-client/{}\r\n"
            "Content-Type: application/json\r\nContent-Length: ".format(host, port, __version__)
        ).encode()
        self._responses = Responses(self._socket.makefile("rb", buffering=0))
        self._refused: List[Tuple[LogMessage, str]] = []
        self._ended = False
        # Start with one request: if a message breaks connections, this finds the message.
        self._window = 1

    def deliver(self, messages: Sequence[LogMessage]) -> None:
        """Send messages in windows and read their responses.

        Messages without a response are not delivered when the connection ends.
        """
        self.delivered = 0
        while not self._ended and self.delivered < len(messages):
            window = messages[self.delivered : self.delivered + self._window]
            self._socket.sendall(b"".join(b"%s%d\r\n\r\n%s" % (self._head, len(f.data), f.data) for f in window))
            for message in window:
                if self._ended:
                    return
                self._read_response(message)
                self.delivered += 1
            self._window = WINDOW

    def check(self) -> None:
        """Raise OSError if the connection has ended."""
        if self._ended:
            raise ConnectionResetError("the log server ended the connection after its last response")
        super().check()

    def close(self) -> None:
        """Close the connection and its file object, which keeps the socket open otherwise."""
        self._responses.raw.close()
        super().close()

    def take_refused(self) -> List[Tuple[LogMessage, str]]:
        """Return the messages that the server refused, each with the reason."""
        refused, self._refused = self._refused, []
        return refused

    def _read_response(self, message: LogMessage) -> None:
        with closing(HTTPResponse(self._responses)) as response:
            try:
                response.begin()
                text = response.read().decode("utf-8", "replace")
            except HTTPException as error:
                raise OSError("the log server's response cannot be read: {!r}".format(error)) from error
        if response.status in REFUSALS:
            self._refused.append((message, "{} {}".format(response.status, text[:200] or response.reason)))
        elif response.status != ACCEPTED:
            raise OSError("the log server answered {} {}".format(response.status, response.reason))
        self._ended = bool(response.will_close)
