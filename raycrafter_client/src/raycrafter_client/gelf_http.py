"""GELF over HTTP: one message a request, and the server answers 202 when it has taken it."""

import io
import socket
import ssl
from http.client import HTTPException, HTTPResponse
from typing import List, Sequence, Tuple

from . import __version__
from .gelf_link import Link
from .gelf_queue import Frame

# How many requests may wait for their answers: one by one, every message would cost a round trip. The answers to so
# many fit into a socket's buffer, so neither side can come to wait for the other.
PIPELINED = 32
TAKEN = 202
# What the server says of one message, and would say again. Other errors are of the server or the way to it.
BAD_MESSAGE = (400, 413, 415, 422)


class _Answers(io.BufferedReader):
    """What the server sends, for one HTTPResponse after the other: each wants a file of its own and closes it."""

    def makefile(self, *_: object) -> "_Answers":
        return self

    def close(self) -> None:
        """The socket is closed by the link."""


class HttpLink(Link):
    """Delivered means that the server has answered."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect and shake hands. A refused certificate shows with the first answer."""
        super().__init__(host, port, context, timeout)
        self._head = (
            "POST /gelf HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: raycrafter-client/{}\r\n"
            "Content-Type: application/json\r\nContent-Length: ".format(host, port, __version__)
        ).encode()
        self._answers = _Answers(socket.SocketIO(self._socket, "r"))
        self._refused: List[Tuple[Frame, str]] = []

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Send messages, the next ones before the answers to the last ones are there."""
        self.delivered = sent = 0
        while self.delivered < len(frames):
            if sent - self.delivered <= PIPELINED // 2:
                end = min(self.delivered + PIPELINED, len(frames))
                self._socket.sendall(b"".join(map(self._request, frames[sent:end])))
                sent = end
            closing = self._read_answer(frames[self.delivered])
            self.delivered += 1
            if closing and self.delivered < len(frames):
                raise ConnectionResetError("the log server closed the connection")

    def take_refused(self) -> List[Tuple[Frame, str]]:
        """Return the messages that were answered with an error of their own."""
        refused, self._refused = self._refused, []
        return refused

    def _request(self, frame: Frame) -> bytes:
        return self._head + b"%d\r\n\r\n" % len(frame.data) + frame.data

    def _read_answer(self, frame: Frame) -> bool:
        """Read the answer to ``frame``; return whether it is the last on this connection."""
        try:
            answer = HTTPResponse(self._answers)
            answer.begin()
            text = answer.read().decode("utf-8", "replace")
        except HTTPException as error:
            raise OSError("the log server's answer cannot be read: {!r}".format(error)) from error
        if answer.status in BAD_MESSAGE:
            self._refused.append((frame, "{} {}".format(answer.status, text[:200] or answer.reason)))
        elif answer.status != TAKEN:
            raise OSError("the log server answered {} {}".format(answer.status, answer.reason))
        return bool(answer.will_close)
