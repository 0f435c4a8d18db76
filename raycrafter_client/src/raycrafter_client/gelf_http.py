"""GELF over HTTP: one message a request, and the server answers 202 when it has taken it."""

import ssl
from contextlib import closing
from http.client import HTTPException, HTTPResponse
from typing import List, Sequence, Tuple

from . import __version__
from .gelf_link import Link
from .gelf_queue import Frame

TAKEN = 202
# What the server says of one message, and would say again. Other errors are of the server or the way to it.
BAD_MESSAGE = (400, 413, 415, 422)


class HttpLink(Link):
    """Delivered means that the server has answered."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect and shake hands. A refused certificate shows with the first answer."""
        super().__init__(host, port, context, timeout)
        self._head = (
            "POST /gelf HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: raycrafter-client/{}\r\n"
            "Content-Type: application/json\r\nContent-Length: ".format(host, port, __version__)
        ).encode()
        self._refused: List[Tuple[Frame, str]] = []
        self._ended = False

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Send messages, each after the answer to the one before: requests sent ahead of the answers gain nothing."""
        self.delivered = 0
        for frame in frames:
            if self._ended:
                return
            self._socket.sendall(self._head + b"%d\r\n\r\n" % len(frame.data) + frame.data)
            self._read_answer(frame)
            self.delivered += 1

    def check(self) -> None:
        """Look whether the connection goes on."""
        if self._ended:
            raise ConnectionResetError("the log server ends connections after some requests")
        super().check()

    def take_refused(self) -> List[Tuple[Frame, str]]:
        """Return the messages that were answered with an error of their own."""
        refused, self._refused = self._refused, []
        return refused

    def _read_answer(self, frame: Frame) -> None:
        with closing(HTTPResponse(self._socket)) as answer:
            try:
                answer.begin()
                text = answer.read().decode("utf-8", "replace")
            except HTTPException as error:
                raise OSError("the log server's answer cannot be read: {!r}".format(error)) from error
        if answer.status in BAD_MESSAGE:
            self._refused.append((frame, "{} {}".format(answer.status, text[:200] or answer.reason)))
        elif answer.status != TAKEN:
            raise OSError("the log server answered {} {}".format(answer.status, answer.reason))
        self._ended = bool(answer.will_close)
