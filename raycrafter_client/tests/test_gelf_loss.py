"""Test lost log messages and the cost of logging while the log server is down."""

import json
import logging
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from raycrafter_client.gelf import LINKS, GelfHandler
from raycrafter_client.gelf_http import WINDOW
from raycrafter_client.gelf_queue import BoundedQueue
from raycrafter_client.gelf_spool import LogSpool
from raycrafter_client.gelf_tcp import RESEND_MESSAGES
from raycrafter_client.tls import client_context

MESSAGES = 5000
DEATHS = 3
BURST = 20000
LIMIT = 240.0  # seconds, for a busy machine


class LogProcess:
    """A log server process and its received messages."""

    def __init__(self, pki, transport, directory):
        self.transport = transport
        self.port = 0
        self.messages = []
        self.ids = set()
        self._file = directory / "received"
        self._file.touch()
        self._read = 0
        self._certificates = [*pki.server, pki.ca]
        self._process = None
        self._lock = threading.Lock()

    def start(self, seconds_per_message=0):
        words = [self.transport, self.port, *self._certificates, self._file, seconds_per_message]
        program = [sys.executable, str(Path(__file__).with_name("gelf_server.py")), *map(str, words)]
        self._process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(self._process.stdout.readline())

    def kill(self):
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def look(self):
        """Read new messages; return the number of all messages."""
        with self._lock, self._file.open("rb") as file:
            file.seek(self._read)
            data = file.read()
            data = data[: data.rfind(b"\n") + 1]
            self._read += len(data)
            new = [json.loads(line) for line in data.splitlines()]
            self.messages += new
            self.ids.update(message["_message_id"] for message in new)
        return len(self.messages)

    def wait_for(self, condition):
        """Read messages until ``condition()`` is true."""
        end = time.monotonic() + LIMIT
        while self.look() is None or not condition():
            assert time.monotonic() < end, f"{len(self.messages)} messages after {LIMIT} s"
            time.sleep(0.01)

    def texts(self):
        return {message["short_message"] for message in self.messages}


@pytest.fixture()
def server(pki, tmp_path):
    """Return a function that starts a log server."""
    made = []

    def start(transport, seconds_per_message=0):
        made.append(LogProcess(pki, transport, tmp_path))
        made[0].start(seconds_per_message)
        return made[0]

    yield start
    made[0].kill()


@pytest.fixture()
def make(tmp_path, pki):
    """Return a function that creates a logger with a handler of its own."""
    made = []

    def build(log, queue=None, spool=LogSpool):
        context = client_context(pki.ca, *pki.client)
        handler = GelfHandler(
            lambda: LINKS[log.transport]("localhost", log.port, context, 2.0),
            spool(str(tmp_path / "gelf.spool"), 64 << 20),
            "node1",
            {"job_id": 7, "batch_id": 17},
            queue,
            retry_seconds=0.05,
        )
        logger = logging.Logger("test", logging.DEBUG)
        logger.addHandler(handler)
        made.append(handler)
        return logger

    yield build
    for handler in made:
        handler.close_within(0)


@pytest.mark.parametrize(
    ("transport", "window", "most_repeated"),
    [
        # Repeated: messages that the server had received but not acknowledged.
        ("http", MESSAGES, DEATHS * WINDOW),
        # Without acknowledgements, no message is lost while the unsent bytes fit into the resend window.
        ("tcp", RESEND_MESSAGES // 5, DEATHS * RESEND_MESSAGES),
    ],
)
def test_repeated_server_crashes_lose_no_message(make, server, transport, window, most_repeated):
    log = server(transport)
    logger = make(log, BoundedQueue(MESSAGES, 64 << 20))
    deaths = sorted(random.SystemRandom().sample(range(MESSAGES // 50, MESSAGES * 9 // 10), DEATHS))

    def die():
        for count in deaths:
            log.wait_for(lambda count=count: len(log.ids) >= count)
            log.kill()
            log.start()

    killer = threading.Thread(target=die, daemon=True)
    killer.start()
    for number in range(MESSAGES):
        if number % 50 == 0:
            log.wait_for(lambda number=number: number - len(log.ids) <= window)
        logger.info("%d", number)
    killer.join(LIMIT)
    assert not killer.is_alive()
    expected = {str(number) for number in range(MESSAGES)}
    log.wait_for(lambda: len(log.ids) >= MESSAGES and log.texts() >= expected)
    assert len(log.messages) - len(log.ids) <= most_repeated


class SlowSpool(LogSpool):
    """A disk that blocks every write until the gate opens."""

    gate = threading.Event()

    def append(self, messages):
        self.gate.wait(LIMIT)
        return super().append(messages)


@pytest.mark.parametrize("fault", ["away", "no handshake", "slow", "slow disk"])
def test_logging_never_blocks_and_counts_every_loss(make, server, fault):
    # HTTP: over TCP the kernels' buffers hide a slow server.
    log = server("http", 0.02) if fault == "slow" else server("tcp")
    mute = socket.socket()
    SlowSpool.gate.clear()
    if fault != "slow":
        log.kill()
    if fault == "no handshake":  # accept connections and never respond
        mute.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mute.bind(("127.0.0.1", log.port))
        mute.listen(16)
    # A small queue fills up faster than the sending thread empties it.
    logger = make(log, BoundedQueue(6000, 8 << 20), SlowSpool if fault == "slow disk" else LogSpool)
    silent = logging.Logger("silent", logging.DEBUG)
    silent.addHandler(logging.NullHandler())
    longest = {}
    for target in (silent, logger):
        spent = []
        for number in range(BURST):
            started = time.perf_counter()
            target.log(logging.INFO if number % 10 == 0 else logging.DEBUG, "%d", number)
            spent.append(time.perf_counter() - started)
        longest[target] = max(spent)
    # A wait for a connection or a disk takes two seconds; shorter pauses come from other processes.
    assert longest[logger] < max(1.0, 10 * longest[silent])
    mute.close()
    SlowSpool.gate.set()
    log.kill()
    log.start()
    logger.info("last")

    def all_are_known():
        reports = [message["_dropped"] for message in log.messages if message.get("_kind") == "log_dropped"]
        emitted = max((message["_client_seq"] for message in log.messages), default=0)
        return emitted > BURST and len(log.ids) + max(reports, default=0) == emitted

    log.wait_for(all_are_known)
    assert log.texts() >= {str(number) for number in range(0, BURST, 10)}, "DEBUG is dropped before anything else"
    if fault != "away":
        assert len(log.texts()) < BURST
