"""The program that hands rsyslog's messages to Graylog, and a server in trouble. The scenario log_shipping has TLS."""

from __future__ import annotations

import http.server
import importlib.util
import io
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

PROGRAM = Path(__file__).parents[2] / "roles/log_shipping/files/usr/local/lib/raycrafter/gelf_http.py"


class Input(http.server.ThreadingHTTPServer):
    """Graylog's input: ``answers`` tells the status and whether the connection ends, for a message."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.taken: list[bytes] = []
        self.asked: list[bytes] = []
        self.answers = lambda body: (202, False)
        super().__init__(("127.0.0.1", port), Answers)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *words: object) -> None:
        """Keep still."""


# not recorded: Graylog's GELF HTTP input; form: HttpHandler.java of graylog2-server (202, an empty body), and
# AbstractHttpTransport.java with Netty's HttpObjectAggregator (413 and the end of the connection)
class Answers(http.server.BaseHTTPRequestHandler):
    """The requests of one connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(body)
        status, self.close_connection = self.server.answers(body)
        if status == 202:
            self.server.taken.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Keep still."""


class PlainContext:
    """No TLS."""

    def load_cert_chain(self, *files: str) -> None:
        """Need none."""

    def wrap_socket(self, plain: object, server_hostname: str) -> object:
        return plain


@pytest.fixture
def program(monkeypatch):
    """The module, without TLS and without waiting; ``clock`` is its time and ``journal`` what it wrote there."""
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


def test_every_message_of_a_transaction_arrives_once_and_in_order(sender, graylog):
    messages = numbered(200)
    assert sender.deliver(messages) == "OK"
    assert graylog.taken == messages


def test_what_was_taken_of_a_transaction_that_failed_is_not_sent_again(sender, graylog):
    graylog.answers = lambda body: (500 if body == b"message 2" else 202, False)
    assert "500" in sender.deliver(numbered(3))
    assert graylog.taken == numbered(2)
    graylog.answers = lambda body: (202, False)
    assert sender.deliver(numbered(3)) == "OK"
    assert graylog.taken == numbered(3)


def test_trouble_that_lasts_is_told_every_hour_and_its_end_once(program, sender, graylog):
    """One message that is always answered 500 holds up everything: nobody may overlook it."""
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


def test_a_server_that_is_away_gets_all_later(program, sender, graylog):
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


def test_a_refusal_that_ends_the_connection_is_put_aside_and_holds_nothing_up(sender, graylog, tmp_path):
    large = b"x" * 300_000
    graylog.answers = lambda body: (413, True) if body == large else (202, False)
    assert sender.deliver([b"one", large, b"two", b"three"]) == "OK"
    assert sorted(set(graylog.taken)) == [b"one", b"three", b"two"]
    assert (tmp_path / "refused").read_bytes() == large + b"\n"


def test_the_refused_are_for_root_alone_and_do_not_fill_the_disk(program, sender, graylog, tmp_path, monkeypatch):
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


def test_rsyslog_hears_ok_only_after_the_transaction(program, graylog, tmp_path, monkeypatch, capsys):
    lines = b"BEGIN TRANSACTION\none\ntwo\nCOMMIT TRANSACTION\n"
    words = ["127.0.0.1", str(graylog.server_port), "graylog", "ca", "certificate", "key", str(tmp_path / "refused")]
    monkeypatch.setattr(program.sys, "argv", ["gelf_http.py", *words])
    monkeypatch.setattr(program.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    monkeypatch.setattr(program.signal, "signal", lambda *words: None)
    program.main()
    assert capsys.readouterr().out.split() == ["OK", "OK", "DEFER_COMMIT", "DEFER_COMMIT", "OK"]
    assert graylog.taken == [b"one", b"two"]
