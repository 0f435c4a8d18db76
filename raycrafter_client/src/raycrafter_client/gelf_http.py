"""GELF over HTTP: one message a request, and the server answers 202 when it has taken it."""

import io
import ssl
from contextlib import closing
from http.client import HTTPException, HTTPResponse
from typing import List, Sequence, Tuple

from . import __version__
from .gelf_link import Link
from .gelf_queue import Frame

TAKEN = 202
# Messages on the way without an answer. One by one, each would cost the time to the server and back.
WINDOW = 64
# What the server says of one message, and would say again. Other errors are of the server or the way to it.
BAD_MESSAGE = (400, 413, 415, 422)


class Answers(io.BufferedReader):
    """What the server says on one connection. ``HTTPResponse`` takes it for its socket, and may not close it."""

    def makefile(self, mode: str) -> "Answers":
        """Return where to read the next answer."""
        return self

    def close(self) -> None:
        """Stay open: other answers follow."""


class HttpLink(Link):
    """Delivered means that the server has answered."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Connect and shake hands. A refused certificate shows with the first answer."""
        super().__init__(host, port, context, timeout)
        self._head = (
            "POST /gelf HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: raycrafter-client/{}\r\n"
            "Content-Type: application/json\r\nContent-Length: ".format(host, port, __version__)
        ).encode()
        self._answers = Answers(self._socket.makefile("rb", buffering=0))
        self._refused: List[Tuple[Frame, str]] = []
        self._ended = False
        # the first one goes alone: where a message breaks the connection, the next connection tells which
        self._window = 1

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Send messages, a window of them ahead of their answers; of the rest nobody knows when the connection ends."""
        self.delivered = 0
        while not self._ended and self.delivered < len(frames):
            window = frames[self.delivered : self.delivered + self._window]
            self._socket.sendall(b"".join(b"%s%d\r\n\r\n%s" % (self._head, len(f.data), f.data) for f in window))
            for frame in window:
                if self._ended:
                    return
                self._read_answer(frame)
                self.delivered += 1
            self._window = WINDOW

    def check(self) -> None:
        """Look whether the connection goes on."""
        if self._ended:
            raise ConnectionResetError("the log server ends connections after some requests")
        super().check()

    def close(self) -> None:
        """Close the connection and the file over it, without which the socket would stay."""
        self._answers.raw.close()
        super().close()

    def take_refused(self) -> List[Tuple[Frame, str]]:
        """Return the messages that were answered with an error of their own."""
        refused, self._refused = self._refused, []
        return refused

    def _read_answer(self, frame: Frame) -> None:
        with closing(HTTPResponse(self._answers)) as answer:
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
