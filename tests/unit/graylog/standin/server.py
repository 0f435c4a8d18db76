"""Serve the stand-in over HTTP, for modules in their own processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def encode(answer: object) -> bytes:
    """Return the bytes of a response: JSON, plain text, nothing for None and ""."""
    if answer is None:
        return b""
    return answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()


@contextmanager
def listen(api) -> Iterator[str]:
    """Serve `api` on a free port of 127.0.0.1; yield the URL without /api."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            if self.path.startswith("/api"):
                target = self.path.removeprefix("/api") or "/"
                status, answer = api.answer(self.command, target, dict(self.headers), data, None)
            else:
                status, answer = 404, {"type": "ApiError", "message": "HTTP 404 Not Found"}
            text = encode(answer)
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="Graylog Server"')
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the base class's names

        def log_message(self, *_arguments) -> None:
            """Log nothing: the stand-in records the requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
