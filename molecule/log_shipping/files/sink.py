"""Takes GELF over TLS as Graylog does: client certificates or nothing, a zero byte after each message.

sink.py PORT CERTIFICATE KEY AUTHORITY FILE: a message is a line of FILE, and so is a handshake that failed.
"""

import socketserver
import ssl
import sys
from pathlib import Path

port, certificate, key, authority, file = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(certificate, key)


def write(line: bytes) -> None:
    with Path(file).open("ab", buffering=0) as out:
        out.write(line + b"\n")


class Frames(socketserver.BaseRequestHandler):
    """One connection."""

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


class Sink(socketserver.ThreadingTCPServer):
    """All connections."""

    allow_reuse_address = daemon_threads = True


Sink(("", int(port)), Frames).serve_forever()
