"""What gets lost on the way to the log server, and what it costs to log while there is none."""

import logging
import random
import socket
import threading
import time

import pytest
from raycrafter_client.gelf import LINKS, GelfHandler
from raycrafter_client.gelf_queue import BoundedQueue
from raycrafter_client.gelf_spool import LogSpool
from raycrafter_client.gelf_tcp import RESEND_MESSAGES
from raycrafter_client.tls import client_context

MESSAGES = 20000
DEATHS = 6


class SlowSpool(LogSpool):
    """A disk that takes nothing before the gate is open."""

    gate = threading.Event()

    def append(self, frames):
        self.gate.wait(60)
        return super().append(frames)


@pytest.fixture()
def make(tmp_path, pki):
    """Return a function that makes a logger with a handler of its own."""
    made = []

    def build(log, queue=None, spool=LogSpool, timeout=10.0):
        context = client_context(pki.ca, *pki.client)
        handler = GelfHandler(
            lambda: LINKS[log.transport]("localhost", log.port, context, timeout),
            spool(str(tmp_path / "gelf.spool"), 64 << 20),
            "node1",
            {"job_id": 7, "batch_id": 17},
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


def ids(log):
    return {message["_message_id"] for message in log.messages}


def die_at_random(log, done):
    """Kill the server when it has got so many messages, again and again; it comes back a little later."""
    for count in sorted(random.SystemRandom().sample(range(MESSAGES // 50, MESSAGES * 9 // 10), DEATHS)):
        log.wait_for(lambda count=count: len(log.raw) >= count)
        log.kill()
        time.sleep(0.02)
        log.start()
    done.set()


def log_through_deaths(log, logger, handler, window):
    """Log numbers, at most ``window`` ahead of the server, and return how many came more than once."""
    done = threading.Event()
    threading.Thread(target=die_at_random, args=(log, done), daemon=True).start()
    for number in range(MESSAGES):
        if number % 100 == 0:
            log.wait_for(lambda number=number: len(log.raw) >= number - window)
        logger.info("%d", number)
    assert done.wait(30)
    handler.close_within(20)
    log.wait_for(lambda: {str(number) for number in range(MESSAGES)} <= {m["short_message"] for m in log.messages})
    assert all(message["_message_id"].endswith("-%d" % message["_client_seq"]) for message in log.messages)
    return len(log.raw) - len(ids(log))


def test_http_loses_nothing_when_the_server_dies_again_and_again(make, http_log):
    logger, handler = make(http_log, queue=BoundedQueue(MESSAGES, 64 << 20))
    repeated = log_through_deaths(http_log, logger, handler, MESSAGES)
    assert http_log.connections > DEATHS
    # the server had it, and died before it said so
    assert repeated <= DEATHS * 32


def test_tcp_loses_nothing_that_the_resend_window_holds(make, log):
    """More on the way than the window would be lost: there is no acknowledgement."""
    logger, handler = make(log)
    repeated = log_through_deaths(log, logger, handler, RESEND_MESSAGES // 2)
    assert 0 < repeated <= DEATHS * RESEND_MESSAGES


@pytest.mark.parametrize("trouble", ["away", "no handshake", "slow", "slow disk"])
def test_logging_never_waits_and_every_loss_is_counted(make, http_log, trouble):
    log, port = http_log, http_log.port
    mute = socket.socket()
    mute.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    spool = LogSpool
    if trouble in ("away", "no handshake"):
        log.stop()
    if trouble == "no handshake":  # connections are taken, and nothing is said
        mute.bind(("127.0.0.1", port))
        mute.listen(16)
    if trouble == "slow":
        log.answer = lambda body: time.sleep(0.005) or 202
    if trouble == "slow disk":
        log.stop()
        spool = SlowSpool
        SlowSpool.gate.clear()
    logger, handler = make(log, spool=spool, timeout=2.0)
    silent = logging.Logger("silent", logging.DEBUG)
    silent.addHandler(logging.NullHandler())
    times = {silent: [], logger: []}
    for target, spent in times.items():
        for number in range(50000):
            level = logging.INFO if number % 10 == 0 else logging.DEBUG
            started = time.perf_counter()
            target.log(level, "%d", number)
            spent.append(time.perf_counter() - started)
    # a connection's or a disk's wait would be seconds; the rest is what other processes take of this machine
    assert max(times[logger]) < max(0.25, 20 * max(times[silent]))
    mute.close()
    log.answer = lambda body: 202
    SlowSpool.gate.set()
    if trouble != "slow":
        log.start()
    logger.info("last")

    def settled():
        told = [message for message in log.messages if message.get("_kind") == "log_dropped"]
        total = max((message["_client_seq"] for message in log.messages), default=0)
        return total > 50000 and len(ids(log)) + max((m["_dropped"] for m in told), default=0) == total

    log.poll(settled)
    texts = {message["short_message"] for message in log.messages}
    assert texts >= {str(number) for number in range(0, 50000, 10)}, "only DEBUG is dropped while there is any"
    if trouble != "away":
        assert len(texts) < 50000
