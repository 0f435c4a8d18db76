"""Test the log handler with a TLS input that requires client certificates."""

import logging
import socket
import threading
import time

import pytest
from raycrafter_client.gelf import LINKS, GelfHandler
from raycrafter_client.gelf_http import WINDOW, HttpLink
from raycrafter_client.gelf_queue import BoundedQueue, LogMessage
from raycrafter_client.gelf_spool import LogSpool
from raycrafter_client.tls import client_context


@pytest.fixture(params=["log", "http_log"])
def log(request):
    """Return the log server of each transport."""
    return request.getfixturevalue(request.param)


@pytest.fixture()
def make(tmp_path, pki, log):
    """Return a function that creates a logger with a handler of its own."""
    made = []

    def build(certificate=None, queue=None, spool_bytes=1 << 20, timeout=5.0):
        context = client_context(pki.ca, *(certificate or pki.client))
        handler = GelfHandler(
            lambda: LINKS[log.transport]("localhost", log.port, context, timeout),
            LogSpool(str(tmp_path / "gelf.spool"), spool_bytes),
            "node1",
            {"job_id": 7, "batch_id": 17, "facility": "raycrafter-client"},
            queue,
            retry_seconds=0.05,
        )
        logger = logging.Logger("test", logging.DEBUG)
        logger.addHandler(handler)
        made.append(handler)
        return logger, handler

    yield build
    for handler in made:
        handler.close_within(0)


def numbers(log):
    return [message["short_message"] for message in log.messages]


def test_message_has_the_agreed_fields(make, log):
    logger, handler = make()
    before = time.time()
    logger.warning("hello %s", "wörld", extra={"fields": {"frame": 3, "attempt": 1, "kind": "test", "empty": None}})
    handler.close_within(5)
    log.wait_for(lambda: log.raw)
    (message,) = log.messages
    assert before <= message.pop("timestamp") <= time.time()
    assert message.pop("_message_id").endswith("-1")
    assert message == {
        "version": "1.1",
        "host": "node1",
        "short_message": "hello wörld",
        "level": 4,
        "_job_id": 7,
        "_batch_id": 17,
        "_facility": "raycrafter-client",
        "_frame": 3,
        "_attempt": 1,
        "_kind": "test",
        "_client_seq": 1,
    }
    assert log.versions[0] in ("TLSv1.2", "TLSv1.3")


def test_blank_long_and_exception_messages_are_valid(make, log):
    logger, handler = make()
    logger.info(" \n ")
    logger.info("x" * 100000)
    try:
        raise KeyError("lost")
    except KeyError:
        logger.exception("bang")
    handler.close_within(5)
    log.wait_for(lambda: len(log.raw) == 3)
    blank, long, bang = log.messages
    assert blank["short_message"].strip()
    assert len(long["short_message"]) < len(long["full_message"]) < 20000
    assert "KeyError: 'lost'" in bang["full_message"]
    assert bang["level"] == 3


def test_messages_wait_for_the_log_server(make, log, tmp_path):
    log.stop()
    logger, handler = make()
    for number in range(500):
        logger.info("%d", number)
    log.poll(lambda: (tmp_path / "gelf.spool").stat().st_size > 0)
    log.start()
    log.wait_for(lambda: set(numbers(log)) >= {str(number) for number in range(500)})
    handler.close_within(5)
    assert (tmp_path / "gelf.spool").stat().st_size == 0


def test_restart_of_the_log_server_loses_no_message(make, log):
    logger, handler = make()
    for number in range(200):
        logger.info("%d", number)
    log.wait_for(lambda: len(log.raw) >= 100)
    log.stop()
    for number in range(200, 400):
        logger.info("%d", number)
    log.start()
    for number in range(400, 600):
        logger.info("%d", number)
    log.wait_for(lambda: set(numbers(log)) >= {str(number) for number in range(600)})
    handler.close_within(5)
    # A message that was sent twice has the same id both times.
    assert len({text for text in numbers(log) if text.isdigit()}) == 600
    texts = {message["_message_id"]: message["short_message"] for message in log.messages}
    assert all(texts[message["_message_id"]] == message["short_message"] for message in log.messages)


def test_refused_certificate_keeps_messages_on_disk(make, log, pki, tmp_path):
    logger, handler = make(certificate=pki.stranger)
    for number in range(20):
        logger.info("%d", number)
    handler.close_within(2)
    assert log.raw == []
    spooled = (tmp_path / "gelf.spool").read_bytes()
    assert all(b'"short_message": "%d"' % number in spooled for number in range(20))


def test_later_client_sends_messages_of_an_earlier_client(make, log):
    log.stop()
    logger, handler = make()
    logger.info("left over")
    handler.close_within(1)
    log.start()
    logger, handler = make()
    logger.info("new")
    log.wait_for(lambda: set(numbers(log)) >= {"left over", "new"})
    # Both clients start with number 1.
    ids = {message["_message_id"]: message["_client_seq"] for message in log.messages}
    assert list(ids.values()).count(1) == 2


def test_unresponsive_log_server_does_not_block_logging(make, log):
    log.stop()
    silent = socket.socket()  # accepts connections and never responds
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    silent.bind(("127.0.0.1", log.port))
    silent.listen(1)
    try:
        logger, handler = make(timeout=60.0)
        started = time.monotonic()
        for number in range(20000):
            logger.info("%d", number)
        assert time.monotonic() - started < 10
        started = time.monotonic()
        handler.close_within(0.5)
        assert time.monotonic() - started < 5
    finally:
        silent.close()


def test_full_spool_drops_debug_first_and_reports_it(make, log, tmp_path):
    spool = tmp_path / "gelf.spool"
    log.stop()
    logger, handler = make(spool_bytes=20000)
    for number in range(200):
        logger.debug("debug %d", number)
    for number in range(30):
        logger.error("error %d", number)
    log.poll(lambda: b"error 29" in spool.read_bytes())
    log.start()
    log.wait_for(lambda: any("were dropped" in text for text in numbers(log)))
    handler.close_within(5)
    texts = numbers(log)
    assert {f"error {number}" for number in range(30)} <= set(texts)
    kept = len({text for text in texts if text.startswith("debug")})
    assert 0 < kept < 200
    reports = [message for message in log.messages if message.get("_kind") == "log_dropped"]
    assert (reports[-1]["_dropped"], reports[-1]["_dropped_debug"]) == (200 - kept, 200 - kept)


@pytest.mark.parametrize("space", [1 << 20, 0])
def test_messages_are_on_disk_while_connecting(make, log, tmp_path, monkeypatch, space):
    """Messages that do not fit on the disk are sent from memory."""
    begun, go_on = threading.Event(), threading.Event()

    class SlowLink(LINKS[log.transport]):
        def __init__(self, *words):
            begun.set()
            go_on.wait(30)
            super().__init__(*words)

    monkeypatch.setitem(LINKS, log.transport, SlowLink)
    logger, handler = make(spool_bytes=space)
    logger.error("precious")
    begun.wait(30)
    assert (b"precious" in (tmp_path / "gelf.spool").read_bytes()) == bool(space)
    go_on.set()
    log.wait_for(lambda: log.raw)
    handler.close_within(5)
    assert numbers(log) == ["precious"]


def test_errors_replace_debug_on_disk(make, log, tmp_path):
    spool = tmp_path / "gelf.spool"
    log.stop()
    logger, handler = make(spool_bytes=20000)
    for number in range(100):
        logger.debug("debug %d", number)
    log.poll(lambda: spool.stat().st_size > 9000)
    for number in range(60):
        logger.error("error %d", number)
    log.poll(lambda: b"error 59" in spool.read_bytes())
    log.start()
    log.wait_for(lambda: any("were dropped" in text for text in numbers(log)))
    handler.close_within(5)
    assert {f"error {number}" for number in range(60)} <= set(numbers(log))
    kept = len({text for text in numbers(log) if text.startswith("debug")})
    reports = [message for message in log.messages if message.get("_kind") == "log_dropped"]
    assert (reports[-1]["_dropped"], reports[-1]["_dropped_debug"]) == (100 - kept, 100 - kept)


def line(number, level):
    return b'{"short_message": "%04d", "level": %d}' % (number, level)


@pytest.fixture()
def full(tmp_path):
    """Return a full spool: 100 lines of 38 bytes, 50 of them DEBUG."""
    spool = LogSpool(str(tmp_path / "gelf.spool"), 3800)
    frames = [LogMessage(0, number < 50, line(number, 7 if number < 50 else 3)) for number in range(100)]
    assert spool.append(frames) == []
    yield spool
    spool.close()


def rest(spool):
    """Send all messages of a spool and return them."""
    found = []
    while spool:
        lines = spool.peek(500)
        found += lines
        spool.advance(sum(len(text) + 1 for text in lines))
    return found


def test_full_spool_removes_debug_for_others_and_counts_it(full):
    assert full.append([LogMessage(0, False, line(100, 3))]) == []
    assert (full.take_displaced(), full.take_displaced()) == (50, 0)
    assert rest(full) == [line(number, 3) for number in range(50, 101)]


def test_debug_does_not_replace_others(full):
    debug = LogMessage(0, True, line(100, 7))
    assert full.append([debug]) == [debug]
    assert len(rest(full)) == 100


def test_sent_messages_make_room(full):
    full.append([LogMessage(0, False, line(100, 3))])  # no DEBUG is left
    full.append([LogMessage(0, False, line(number, 3)) for number in range(101, 150)])
    lost = LogMessage(0, False, line(150, 3))
    assert full.append([lost]) == [lost]
    full.advance(20 * 38)
    assert full.append([LogMessage(0, False, line(number, 3)) for number in range(151, 171)]) == []
    assert rest(full) == [line(number, 3) for number in [*range(70, 150), *range(151, 171)]]


def test_peeked_messages_are_not_moved(full):
    sent = full.peek(10 * 38)
    full.append([LogMessage(0, False, line(100, 3))])
    assert full.take_displaced() == 40
    full.advance(sum(len(text) + 1 for text in sent))
    assert rest(full) == [line(number, 3) for number in range(50, 101)]


def test_queue_drops_debug_first():
    queue = BoundedQueue(max_messages=3, max_bytes=1000)
    for seq, debug in enumerate([True, False, True, False, False], 1):
        queue.put(LogMessage(seq, debug, b"x"))
    assert [frame.seq for frame in queue.take(10)] == [2, 4, 5]
    assert queue.dropped() == (2, 0)
    for seq in range(6, 10):
        queue.put(LogMessage(seq, False, b"x"))
    assert [frame.seq for frame in queue.take(10)] == [7, 8, 9]
    assert queue.dropped() == (2, 1)


def test_queue_is_bounded_in_bytes():
    queue = BoundedQueue(max_messages=1000, max_bytes=100)
    for seq in range(10):
        queue.put(LogMessage(seq, False, b"x" * 30))
    assert [frame.seq for frame in queue.take(10)] == [7, 8, 9]


def test_spool_drops_a_cut_line(tmp_path):
    path = tmp_path / "gelf.spool"
    path.write_bytes(b'{"a": 1}\n{"b": ')
    spool = LogSpool(str(path), 1000)
    assert spool.peek(100) == [b'{"a": 1}']
    spool.advance(9)
    assert spool.peek(100) == []
    assert not spool
    spool.close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("log", ["http_log"], indirect=True)
def test_refused_message_does_not_block_others(make, log):
    log.answer = lambda body: 413 if b"too much" in body else 202
    logger, _ = make()
    for text in ("before", "too much", "after"):
        logger.info(text)
    log.wait_for(lambda: any(message.get("_kind") == "log_dropped" for message in log.messages))
    assert numbers(log)[:2] == ["before", "after"]
    (report,) = [message for message in log.messages if message.get("_kind") == "log_dropped"]
    assert (report["_dropped"], "413" in report["short_message"]) == (1, True)


@pytest.mark.parametrize("log", ["http_log"], indirect=True)
@pytest.mark.parametrize("status", [503, 415])
def test_failing_server_gets_the_messages_later(make, log, status):
    log.answer = lambda body: status
    logger, _ = make()
    logger.info("patience")
    log.poll(lambda: log.connections >= 3)
    assert log.messages == []
    log.answer = lambda body: 202
    log.wait_for(lambda: "patience" in numbers(log))
    # An outage is logged once, however many attempts fail.
    assert sum(message.get("_kind") == "log_link" for message in log.messages) <= 1


@pytest.mark.parametrize("log", ["http_log"], indirect=True)
def test_end_of_an_idle_connection_loses_no_message(make, log):
    logger, handler = make()
    logger.info("one")
    log.wait_for(lambda: len(log.raw) == 1)
    log.stop()
    log.start()
    logger.info("two")
    log.wait_for(lambda: len(log.raw) == 2)
    handler.close_within(5)
    assert numbers(log) == ["one", "two"]


def test_window_of_messages_is_sent_before_the_responses(pki):
    """The server responds to the first request, then waits for all other requests."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with pki.server_context(client_ca=pki.ca).wrap_socket(listener.accept()[0], server_side=True) as connection:
            for count in (1, WINDOW):
                asked = b""
                while asked.count(b"POST") < count:
                    asked += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" * count)
            connection.recv(1)

    with listener:
        threading.Thread(target=serve, daemon=True).start()
        link = HttpLink("localhost", listener.getsockname()[1], client_context(pki.ca, *pki.client), 10.0)
        link.deliver([LogMessage(number, False, b'{"number": %d}' % number) for number in range(1 + WINDOW)])
        assert link.delivered == 1 + WINDOW
        link.close()


@pytest.mark.parametrize("log", ["http_log"], indirect=True)
def test_message_that_breaks_the_connection_does_not_block_others(make, log):
    def answer(body):
        if b"bad" in body and len(alone) < 2:
            alone.append(log.connections)
            raise OSError("hang up")
        return 422 if b"bad" in body else 202

    alone = []
    log.answer = answer
    logger, _ = make()
    for number in range(100):
        logger.info("bad" if number == 50 else str(number))
    log.wait_for(lambda: {str(number) for number in range(100) if number != 50} <= set(numbers(log)))
    assert len(alone) == 2
