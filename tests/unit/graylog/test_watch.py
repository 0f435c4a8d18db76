"""Test the watch's checks of journals, hosts without logs and certificates."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SPEC = importlib.util.spec_from_file_location("watch", Path(__file__).parents[3] / "roles/watch/files/watch.py")
watch = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(watch)

GONE = "http://127.0.0.1:1/api"


class Node(http.server.ThreadingHTTPServer):
    """A Graylog node.

    fill: of the journal, in per cent. waiting: messages in the journal. heard: hosts that sent messages.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.fill, self.waiting, self.heard = 10, 5, ["web1"]
        self.asked: list[dict] = []
        self.url = f"http://127.0.0.1:{self.server_port}/api"


class Answers(http.server.BaseHTTPRequestHandler):
    """Answer requests with the token as Graylog does."""

    server: Node

    def do_GET(self) -> None:
        # keys and types of both answers: recorded/graylog-7.0.1-session.jsonl, GET /system/journal and
        # GET /search/universal/relative; not recorded: an old token's 401; form: that of a wrong password there
        where = urlsplit(self.path)
        query = {key: value for key, (value,) in parse_qs(where.query).items()}
        self.server.asked.append(query)
        known = self.headers["Authorization"] == "Basic dDBrZW46dG9rZW4="  # t0ken:token
        found = {
            "/api/system/journal": {
                "journal_size": self.server.fill * 10,
                "journal_size_limit": 1000,
                "uncommitted_journal_entries": self.server.waiting,
            },
            "/api/search/universal/relative": {
                "total_results": sum(query.get("query") == f'source:"{host}"' for host in self.server.heard)
            },
        }[where.path]
        body = json.dumps(found if known else {"type": "ApiError"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def running() -> Iterator[Node]:
    with Node() as node:
        threading.Thread(target=node.serve_forever, daemon=True).start()
        yield node
        node.shutdown()


@pytest.fixture
def node() -> Iterator[Node]:
    with running() as node:
        yield node


@pytest.fixture
def settings(node, tmp_path) -> dict:
    (tmp_path / "token").write_text("t0ken\n", encoding="ascii")
    graylog = {"urls": [node.url], "token_file": str(tmp_path / "token"), "journal_percent": 60}
    return {
        "graylog": {**graylog, "hosts": ["web1"], "silent_minutes": 10},
        "certificates": [],
        "certificate_days": 14,
        "proxies": [],
        "proxy_hours": 6,
    }


@pytest.mark.parametrize(
    ("fill", "waiting", "words"),
    [
        (59, 5, []),
        (60, 5, ["is 60 % full, 5 messages wait"]),
        (99, 0, []),  # the journal keeps indexed messages until it needs the space
    ],
)
def test_journal_is_reported_from_limit_on(node, settings, fill, waiting, words):
    node.fill, node.waiting = fill, waiting
    found = list(watch.journal(settings))
    assert [word in line for word, line in zip(words, found, strict=True)] == [True] * len(words)


def test_journals_are_reported_per_node(node, settings):
    with running() as other:
        other.fill = 75
        settings["graylog"]["urls"] = [GONE, node.url, other.url]
        found = watch.journal(settings)
        assert f"{other.url} is 75 % full" in next(found)
        with pytest.raises(OSError, match=GONE):
            next(found)


def test_wrong_token_is_not_a_connection_error(settings):
    Path(settings["graylog"]["token_file"]).write_text("old", encoding="ascii")
    for look in (watch.journal, watch.silence):
        with pytest.raises(OSError, match="401"):
            list(look(settings))


def test_host_without_logs_is_named(node, settings):
    assert list(watch.silence(settings)) == []
    settings["graylog"]["hosts"] = ["web1", "worker1"]
    (found,) = watch.silence(settings)
    assert "no message from worker1 for 10 minutes" in found
    assert {query["range"] for query in node.asked} == {"600"}


def test_host_without_graylog_queries_no_node(settings):
    settings["graylog"] = {}
    assert [*watch.journal(settings), *watch.silence(settings)] == []


def certificate(path: Path, hours: float) -> str:
    """Write a grid proxy: certificate, key and authority in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    now = datetime.datetime.now(datetime.UTC)
    chain = b""
    for name, left in (("proxy", hours), ("authority", 10000)):
        names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder().subject_name(names).issuer_name(names).public_key(key.public_key())
        builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=left))
        chain += builder.sign(key, hashes.SHA256()).public_bytes(pem)
        if name == "proxy":
            chain += key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(chain)
    return str(path)


@pytest.mark.parametrize(("hours", "words"), [(6.6, None), (5.2, "expires in 5 hours"), (-2, "expired 2 hours ago")])
def test_expiring_proxy_is_reported(settings, tmp_path, hours, words):
    settings["proxies"] = [certificate(tmp_path / "proxy.pem", hours)]
    found = list(watch.proxies(settings))
    assert len(found) == (1 if words else 0)
    assert all(words in line and "raycrafter-grid-proxy.timer" in line for line in found)


@pytest.mark.parametrize(("days", "ends"), [(13.9, True), (14.1, False)])
def test_expiring_certificate_is_reported(settings, tmp_path, days, ends):
    certificate(tmp_path / "host.crt", days * 24)
    settings["certificates"] = [f"{tmp_path}/*.crt"]
    assert bool(list(watch.certificates(settings))) is ends


def test_missing_proxy_is_reported(settings, tmp_path):
    settings["proxies"] = [f"{tmp_path}/nosuch.pem"]
    with pytest.raises(OSError, match=r"no file matches .*nosuch\.pem"):
        list(watch.proxies(settings))
    (tmp_path / "empty.pem").touch()
    settings["proxies"] = [f"{tmp_path}/empty.pem"]
    with pytest.raises(OSError, match="no certificate that openssl can read"):
        list(watch.proxies(settings))


def test_failed_check_does_not_stop_others(monkeypatch, settings, tmp_path, capsys, node):
    node.fill = 80
    settings["graylog"]["hosts"] = ["worker1"]
    settings["proxies"] = [f"{tmp_path}/nosuch.pem"]
    looks = {kind: watch.CHECKS[kind] for kind in ("proxy", "journal", "silent")}
    monkeypatch.setattr(watch, "CHECKS", looks)
    (tmp_path / "watch.json").write_text(json.dumps(settings), encoding="utf-8")
    assert watch.main(str(tmp_path / "watch.json")) == 1
    kinds = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["<4>watch", "<4>journal", "<4>silent"]
