"""Receive GELF over TLS like Graylog: on port 12201 by TCP, on 12203 by HTTP.

sink.py CERTIFICATE KEY AUTHORITY FILE: clients need a certificate. Each message and each failed handshake is a line of
FILE. By TCP a message ends with a zero byte; by HTTP a message with the word REFUSED gets the status 400.
"""

import http.server
import socketserver
import ssl
import sys
import threading
from pathlib import Path

certificate, key, authority, file = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(certificate, key)


def write(line: bytes) -> None:
    with Path(file).open("ab", buffering=0) as out:
        out.write(line + b"\n")


class Frames(socketserver.BaseRequestHandler):
    """A connection with GELF frames."""

    def handle(self) -> None:
        try:
            with context.wrap_socket(self.request, server_side=True) as encrypted:
                self.read(encrypted)
        except OSError as error:
            write(b'{"refused": "%s"}' % type(error).__name__.encode())

    def read(self, encrypted: ssl.SSLSocket) -> None:
        rest = b""
        while received := encrypted.recv(65536):
            *whole, rest = (rest + received).split(b"\0")
            for frame in whole:
                write(frame)


class Posts(Frames):
    """A connection with HTTP requests."""

    def read(self, encrypted: ssl.SSLSocket) -> None:
        Answers(encrypted, self.client_address, self.server)


class Answers(http.server.BaseHTTPRequestHandler):
    """Handle the requests of a connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        refused = b"REFUSED" in body
        if not refused:
            write(body)
        self.send_response(400 if refused else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Write nothing, because the journal is shipped."""


class Sink(socketserver.ThreadingTCPServer):
    """Listener with a thread for each connection."""

    allow_reuse_address = daemon_threads = True


threading.Thread(target=Sink(("", 12203), Posts).serve_forever).start()
Sink(("", 12201), Frames).serve_forever()
