"""Test the connections of a compute node: one HTTPS request and one GELF message."""

import http.client
import json
import logging
import socket
import ssl
import time
import uuid
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from .gelf import LINKS
from .gelf_message import encode
from .gelf_queue import LogMessage
from .tls import client_context

TIMEOUT_SECONDS = 15.0


def run(
    url: str, ca: str, gelf: Optional[str], cert: Optional[str], key: Optional[str], transport: str
) -> Dict[str, Any]:
    """Test both connections and return a report; ``ok`` is true if all tests passed."""
    report: Dict[str, Any] = {"host": socket.gethostname(), "https": _try(_https, url, ca)}
    if gelf:
        report["gelf"] = _try(_gelf, gelf, ca, cert, key, transport)
    report["ok"] = all(part["ok"] for part in report.values() if isinstance(part, dict))
    return report


def _try(check: Any, *arguments: Any) -> Dict[str, Any]:
    started = time.monotonic()
    try:
        found = check(*arguments)
    except (OSError, ValueError, http.client.HTTPException, ssl.CertificateError) as error:
        return {"ok": False, "target": arguments[0], "error": "{}: {}".format(type(error).__name__, error)}
    return dict(found, ok=True, target=arguments[0], seconds=round(time.monotonic() - started, 3))


def _https(url: str, ca: str) -> Dict[str, Any]:
    """Request the health page; report its content, but test only the connection."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("the address must start with https://")
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port or 443, timeout=TIMEOUT_SECONDS, context=client_context(ca)
    )
    try:
        connection.request("GET", parts.path.rstrip("/") + "/healthz", headers={"Accept": "application/json"})
        tls = connection.sock.version()
        response = connection.getresponse()
        health = json.loads(response.read(65536).decode("utf-8"))
    finally:
        connection.close()
    return {"tls": tls, "status": response.status, "health": health}


def _gelf(target: str, ca: str, cert: Optional[str], key: Optional[str], transport: str) -> Dict[str, Any]:
    """Connect and send one message; return its id for a search in the log server."""
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("the log server must be given as HOST:PORT")
    marker = uuid.uuid4().hex
    link = LINKS[transport](host, int(port), client_context(ca, cert, key), TIMEOUT_SECONDS)
    try:
        record = logging.LogRecord("raycrafter_client", logging.INFO, "", 0, "self-test %s", (marker,), None)
        fields = {"facility": "raycrafter-client", "kind": "selftest", "selftest_id": marker}
        link.deliver([LogMessage(0, False, encode(record, socket.gethostname(), fields))])
        for _, reason in link.take_refused():
            raise OSError("the log server refused the message: " + reason)
        link.check()
    finally:
        link.close()
    return {"selftest_id": marker}
