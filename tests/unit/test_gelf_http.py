"""Test the program that sends rsyslog's messages to Graylog, with failing servers.

TLS is tested by the scenario log_shipping.
"""

from __future__ import annotations

import http.server
import importlib.util
import io
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from raycrafter_client import gelf_http as client

PROGRAM = Path(__file__).parents[2] / "roles/log_shipping/files/usr/local/lib/raycrafter/gelf_http.py"


class Input(http.server.ThreadingHTTPServer):
    """Graylog's input; ``answers(message)`` returns (status, end of the connection)."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.taken: list[bytes] = []
        self.requested: list[bytes] = []
        self.answers = lambda body: (202, False)
        super().__init__(("127.0.0.1", port), Answers)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *words: object) -> None:
        """Print nothing."""


# not recorded: Graylog's GELF HTTP input; form: HttpHandler.java of graylog2-server (202, an empty body), and
# AbstractHttpTransport.java with Netty's HttpObjectAggregator (413 and the end of the connection)
class Answers(http.server.BaseHTTPRequestHandler):
    """Handle the requests of one connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requested.append(body)
        status, self.close_connection = self.server.answers(body)
        if status == 202:
            self.server.taken.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Print nothing."""


class PlainContext:
    """A context without TLS."""

    def load_cert_chain(self, *files: str) -> None:
        """Load nothing."""

    def wrap_socket(self, plain: object, server_hostname: str) -> object:
        return plain


@pytest.fixture
def program(monkeypatch):
    """Return the module without TLS and pauses, with a ``clock`` and a ``journal``."""
    spec = importlib.util.spec_from_file_location("gelf_http", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.clock, module.journal = 1000.0, []
    monkeypatch.setattr(module.ssl, "create_default_context", lambda cafile: PlainContext())
    monkeypatch.setattr(module.syslog, "syslog", lambda level, text: module.journal.append(text))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: module.clock))

    def pause(seconds: float) -> None:
        module.clock += seconds

    monkeypatch.setattr(module, "wait_for_end", pause)
    return module


@pytest.fixture
def graylog():
    server = Input()
    yield server
    server.stop()


@pytest.fixture
def sender(program, graylog, tmp_path):
    words = ("127.0.0.1", str(graylog.server_port), "graylog", "ca", "certificate", "key")
    return program.Sender(*words, refused=str(tmp_path / "refused"))


def numbered(count: int) -> list[bytes]:
    return [b"message %d" % number for number in range(count)]


def test_senders_of_hosts_and_compute_nodes_refuse_the_same_statuses(program):
    """The programs share no file: one is installed on hosts, one on the cluster."""
    assert program.REFUSALS == client.REFUSALS


@pytest.mark.parametrize("status", [401, 404, 405, 415, 500, 503])
def test_status_of_the_sender_or_the_server_drops_no_message(sender, graylog, tmp_path, status):
    graylog.answers = lambda body: (status, False)
    assert sender.deliver([b"one"]) == f"Graylog accepts no messages: status {status}"
    assert not (tmp_path / "refused").exists()


def test_every_message_of_a_transaction_arrives_once_and_in_order(sender, graylog):
    messages = numbered(200)
    assert sender.deliver(messages) == "OK"
    assert graylog.taken == messages


def test_messages_of_a_failed_transaction_are_not_sent_twice(sender, graylog):
    graylog.answers = lambda body: (500 if body == b"message 2" else 202, False)
    assert "500" in sender.deliver(numbered(3))
    assert graylog.taken == numbered(2)
    graylog.answers = lambda body: (202, False)
    assert sender.deliver(numbered(3)) == "OK"
    assert graylog.taken == numbered(3)


def test_outage_is_logged_hourly_and_its_end_once(program, sender, graylog):
    """A message that is always answered 500 blocks all others: operators must notice."""
    graylog.answers = lambda body: (500, False)
    for hours in (0, 1, 2):
        while program.clock < 1000 + hours * 3600:
            sender.deliver([b"poison"])
        assert program.journal == ["Graylog accepts no messages: status 500"] * len(program.journal)
        assert hours <= len(program.journal) <= hours + 1
    graylog.answers = lambda body: (202, False)
    for _ in range(3):
        assert sender.deliver([b"poison"]) == "OK"
    assert program.journal[-2:] == ["Graylog accepts no messages: status 500", "Graylog accepts messages again"]


def test_server_gets_all_messages_after_an_outage(program, sender, graylog):
    graylog.answers = lambda body: (202, True)
    assert sender.deliver([b"before"]) == "OK"
    graylog.stop()
    assert "accepts no messages" in sender.deliver(numbered(5))
    back = Input(graylog.server_port)
    try:
        assert sender.deliver(numbered(5)) == "OK"
        assert back.taken == numbered(5)
    finally:
        back.stop()


def test_refused_message_is_put_aside_and_blocks_no_other(sender, graylog, tmp_path):
    large = b"x" * 300_000
    graylog.answers = lambda body: (413, True) if body == large else (202, False)
    assert sender.deliver([b"one", large, b"two", b"three"]) == "OK"
    assert sorted(set(graylog.taken)) == [b"one", b"three", b"two"]
    assert (tmp_path / "refused").read_bytes() == large + b"\n"


def test_file_of_refused_messages_is_private_and_bounded(program, sender, graylog, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "REFUSED_BYTES", 4000)
    graylog.answers = lambda body: (400, False)
    aside, before = tmp_path / "refused", tmp_path / "refused.1"
    aside.touch(0o644)
    old = os.umask(0)
    try:
        assert sender.deliver(numbered(500)) == "OK"
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o777 for path in (aside, before)} == {0o600}
    assert aside.stat().st_size < 4000 <= before.stat().st_size < 4100
    assert aside.read_bytes().splitlines()[-1] == b"message 499"


def test_program_answers_ok_only_after_the_transaction(program, graylog, tmp_path, monkeypatch, capsys):
    lines = b"BEGIN TRANSACTION\none\ntwo\nCOMMIT TRANSACTION\n"
    words = ["127.0.0.1", str(graylog.server_port), "graylog", "ca", "certificate", "key", str(tmp_path / "refused")]
    monkeypatch.setattr(program.sys, "argv", ["gelf_http.py", *words])
    monkeypatch.setattr(program.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    monkeypatch.setattr(program.signal, "signal", lambda *words: None)
    program.main()
    assert capsys.readouterr().out.split() == ["OK", "OK", "DEFER_COMMIT", "DEFER_COMMIT", "OK"]
    assert graylog.taken == [b"one", b"two"]
