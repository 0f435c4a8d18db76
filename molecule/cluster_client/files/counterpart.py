#!/usr/bin/python3
"""Stand-in for the service: a health page and a GELF input, both over TLS.

The GELF input requires a client certificate and appends received messages to /srv/gelf.
"""

import http.server
import socketserver
import ssl
import threading
from pathlib import Path

TLS = Path("/etc/raycrafter/tls")
RECEIVED = Path("/srv/gelf")


def context() -> ssl.SSLContext:
    """Return a server context with the host's certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(TLS / "host.crt", TLS / "host.key")
    return tls


class Health(http.server.BaseHTTPRequestHandler):
    """Health page that reports success."""

    def do_GET(self) -> None:
        """Answer like the application's /healthz."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"database": "ok"}')


class Gelf(socketserver.StreamRequestHandler):
    """GELF input that appends messages to a file."""

    def handle(self) -> None:
        """Read until the client closes the connection."""
        encrypted = gelf.wrap_socket(self.request, server_side=True)
        while data := encrypted.recv(65536):
            with RECEIVED.open("ab") as file:
                file.write(data.replace(b"\0", b"\n"))


gelf = context()
gelf.verify_mode = ssl.CERT_REQUIRED
gelf.load_verify_locations(TLS / "cluster-ca.crt")
threading.Thread(target=socketserver.ThreadingTCPServer(("", 12202), Gelf).serve_forever, daemon=True).start()
pages = http.server.ThreadingHTTPServer(("", 443), Health)
pages.socket = context().wrap_socket(pages.socket, server_side=True)
pages.serve_forever()
