"""Two small servers in threads: one that takes mail, one that is told of jobs over https."""

from __future__ import annotations

import email
import email.policy
import http.server
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as a client without TLS and login needs."""

    server: Any

    def handle(self) -> None:
        self._say("220 mail ready")
        while line := self.rfile.readline().decode().strip():
            word = line.partition(" ")[0].upper()
            if word == "DATA":
                self._say("354 go on")
                lines = []
                while (text := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(text.removeprefix(b"."))
                self.server.taken.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
            elif word == "RCPT" and self.server.refuses:
                self._say(self.server.refuses)
                continue
            self._say("221 bye" if word == "QUIT" else "250 ok")
            if word == "QUIT":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """``taken`` are the messages; ``refuses`` is what it says to every recipient instead of taking it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Smtp)
        self.taken: list[EmailMessage] = []
        self.refuses = ""


class _Hook(http.server.BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "https://127.0.0.1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


class HookServer(http.server.ThreadingHTTPServer):
    """``told`` are paths, headers and bodies; ``status`` is what it answers."""

    daemon_threads = True

    def __init__(self, pki: Path, leaf: str = "host") -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.told: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / f"{leaf}.crt", pki / f"{leaf}.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A handshake that a client ends is what some tests want."""


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """Serve in a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
