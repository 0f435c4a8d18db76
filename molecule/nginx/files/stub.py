"""Stand in for Django, Flower and Graylog: return each request as JSON."""

import http.server
import json
import socket
import socketserver
import threading

STAFF = {"role=staff": 204, "role=user": 403}


class Handler(http.server.BaseHTTPRequestHandler):
    """Return host, service, path and headers of the request as JSON."""

    def do_GET(self):
        if self.path == "/_staff":
            self.answer(STAFF.get(self.headers["Cookie"], 401))
        elif self.path == "/frame":
            self.answer(200, {"X-Accel-Redirect": "/protected/frame.png", "X-Checksum-Sha256": "abc"})
        else:
            self.answer(200)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def answer(self, status, headers=None):
        self.send_response(status)
        request = {
            "host": socket.gethostname(),
            "service": self.server.name,
            "path": self.path,
            "headers": dict(self.headers),
        }
        body = b"" if status == 204 else json.dumps(request).encode()
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "-"


class Socket(socketserver.ThreadingUnixStreamServer):
    name = "django"


class Port(http.server.ThreadingHTTPServer):
    allow_reuse_address = True


for number, name in ((5555, "flower"), (9000, "graylog")):
    port = Port(("127.0.0.1", number), Handler)
    port.name = name
    threading.Thread(target=port.serve_forever, daemon=True).start()
Socket("/run/raycrafter/gunicorn.sock", Handler).serve_forever()
