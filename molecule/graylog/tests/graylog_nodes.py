"""Query the nodes' API as the root user, and send messages over TLS."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
from scenario import address_of, connected

SECRET = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets/root")
NODES = ("newer", "older")
SEND = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], "roles/graylog/files/try_tls.py").read_text()
TLS = "/etc/raycrafter/tls"
ADDRESSES = {name: address_of(name) for name in NODES}


def ask(name: str, path: str, password: str | None = None, timeout: float = 60, **query) -> dict:
    """Return JSON of a node's API. Raise httpx.HTTPError if the request fails."""
    login = ("admin", password or SECRET.read_text().strip())
    url, headers = f"http://{ADDRESSES[name]}:9000/api/{path}", {"Accept": "application/json"}
    return httpx.get(url, params=query, auth=login, headers=headers, timeout=timeout).raise_for_status().json()


def send(sender: str, to: str, mark: str, **fields) -> None:
    """Send a message with a mark and more fields over TLS from one node to another."""
    own = {f"_{name}": value for name, value in fields.items()}
    message = json.dumps({"version": "1.1", "host": sender, "short_message": "test", "_mark": mark, **own})
    files = [f"{TLS}/{name}" for name in ("ca.crt", "host.crt", "host.crt", "host.key")]
    words = "python3 -c" + " %s" * 8
    seen = connected(sender, sudo=True).check_output(words, SEND, ADDRESSES[to], "12201", *files, message)
    assert json.loads(seen)["refused"] is None
