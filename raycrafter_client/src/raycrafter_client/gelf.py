"""Ship log records as GELF over TLS from a thread; logging never blocks."""

import itertools
import logging
import sys
import threading
import time
import uuid
from contextlib import suppress
from typing import Any, Callable, Dict, List, Optional

from .backoff import Backoff
from .gelf_http import HttpLink
from .gelf_link import Link
from .gelf_message import encode, is_debug
from .gelf_queue import BoundedQueue, Dropped, LogMessage
from .gelf_spool import LogSpool
from .gelf_tcp import TcpLink

LINKS = {"tcp": TcpLink, "http": HttpLink}
QUEUE_MESSAGES = 10000
QUEUE_BYTES = 8 * 1024 * 1024
SPOOL_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
CHUNK_MESSAGES = 500
IDLE_SECONDS = 0.5


class GelfHandler(logging.Handler):
    """A logging handler with a queue, a sending thread and a spool file.

    ``close()`` flushes for a limited time.
    """

    def __init__(
        self,
        connect: Callable[[], Link],
        spool: LogSpool,
        host: str,
        fields: Dict[str, Any],
        queue: Optional[BoundedQueue] = None,
        retry_seconds: float = 1.0,
    ) -> None:
        """Start the thread.

        ``connect`` opens a connection; ``fields`` are added to every message, each with an underscore before its
        name; ``retry_seconds`` is the first pause between two connection attempts.
        """
        super().__init__(logging.DEBUG)
        self.fields = fields
        self._connect = connect
        self._spool = spool
        self._host = host
        self._queue = queue or BoundedQueue(QUEUE_MESSAGES, QUEUE_BYTES)
        self._backoff = Backoff(retry_seconds, 30.0)
        self._next_attempt = 0.0
        self._link: Optional[Link] = None
        self._outage_logged = False
        self._in_hand: List[LogMessage] = []
        self._reported = Dropped(0, 0)
        self._refusal = ""
        # Sequence numbers restart with every client, also in the spool directory of an earlier client.
        self._run_id = uuid.uuid4().hex
        self._seq = itertools.count(1)
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="gelf", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record."""
        try:
            self._put(record)
        except Exception:
            self.handleError(record)

    def close_within(self, seconds: float) -> None:
        """Send messages for at most ``seconds``, keep the rest on disk, end the thread."""
        if not self._closing.is_set():
            self._deadline = time.monotonic() + seconds
            self._closing.set()
            self._queue.wake()
            self._thread.join(seconds + 1.0)
            if self._thread.is_alive():
                # The thread waits for a connection's timeout. It is a daemon and ends with the process.
                doubtful = self._link.doubtful() if self._link else []
                self._leave_on_disk(doubtful + self._in_hand)
        super().close()

    def close(self) -> None:
        """Flush for two seconds at most."""
        self.close_within(2.0)

    def _put(self, record: logging.LogRecord) -> None:
        seq = next(self._seq)
        ids = {"client_seq": seq, "message_id": "{}-{}".format(self._run_id, seq)}
        self._queue.put(
            LogMessage(seq, record.levelno <= logging.DEBUG, encode(record, self._host, {**self.fields, **ids}))
        )

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._run_once(IDLE_SECONDS)
            self._next_attempt = 0.0
            while time.monotonic() < self._deadline and self._run_once(0):
                if self._link is None:
                    time.sleep(max(0.0, min(self._next_attempt, self._deadline) - time.monotonic()))
        finally:
            self._leave_on_disk([])
            if self._link is not None:
                self._link.close()

    def _run_once(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for messages, send some, return whether some are left."""
        waiting = self._queue.wait(seconds)
        self._check_link()
        self._in_hand = self._queue.take(CHUNK_MESSAGES if self._link else sys.maxsize)
        if self._link is None:
            # Spool first: connecting takes seconds, in which this process may be killed.
            self._in_hand = self._spooled(self._in_hand)
            self._connect_if_due(waiting)
        link = self._link
        sent = self._deliver(link, self._in_hand) if link else 0
        self._to_disk(self._in_hand[sent:])
        self._in_hand = []
        if link and link is self._link:
            self._replay(link)
            self._report_dropped()
        return bool(waiting or self._spool or self._queue.wait(0))

    def _check_link(self) -> None:
        """Drop a connection that the server has closed."""
        if self._link is not None:
            try:
                self._link.check()
            except OSError as error:
                # The end of an idle connection is not an outage.
                self._drop_link(error, outage=bool(self._link.doubtful()))

    def _connect_if_due(self, waiting: bool) -> None:
        """Connect if messages are pending and the pause is over."""
        if (waiting or self._spool) and time.monotonic() >= self._next_attempt:
            try:
                self._link = self._connect()
            except OSError as error:
                self._note_outage(error)

    def _deliver(self, link: Link, messages: List[LogMessage]) -> int:
        """Send messages; return how many the link took. A link that fails is dropped."""
        if not messages:
            return 0
        try:
            link.deliver(messages)
            self._backoff.reset()
            self._outage_logged = False
        except OSError as error:
            self._drop_link(error, outage=True)
        for message, self._refusal in link.take_refused():
            self._queue.count_dropped(message)
        return link.delivered

    def _drop_link(self, error: OSError, outage: bool) -> None:
        """Close the connection and spool the messages that may be lost."""
        link, self._link = self._link, None
        if link is not None:
            self._to_disk(link.doubtful())
            link.close()
        if outage:
            self._note_outage(error)

    def _note_outage(self, error: OSError) -> None:
        """Schedule the next attempt and log the outage once."""
        self._next_attempt = time.monotonic() + self._backoff.next()
        if not self._outage_logged:
            self._outage_logged = True
            text = "no connection to the log server, messages wait on disk: %s"
            logging.getLogger(__name__).warning(text, error, extra={"fields": {"kind": "log_link"}})

    def _replay(self, link: Link) -> None:
        """Send a part of the spool file, so that new messages are sent in between."""
        messages = [LogMessage(0, is_debug(line), line) for line in self._spool.peek(CHUNK_BYTES)]
        sent = self._deliver(link, messages)
        self._spool.advance(sum(len(message.data) + 1 for message in messages[:sent]))

    def _report_dropped(self) -> None:
        """Log the total of dropped messages, so that a later report replaces a lost one."""
        dropped = self._queue.dropped()
        if dropped == self._reported:
            return
        self._reported = dropped
        text = "{} log messages were dropped so far, {} of them DEBUG".format(sum(dropped), dropped.debug)
        if self._refusal:
            text += "; the log server refused one with " + self._refusal
        record = logging.LogRecord("raycrafter_client", logging.WARNING, "", 0, text, None, None)
        record.fields = {"kind": "log_dropped", "dropped": sum(dropped), "dropped_debug": dropped.debug}
        self._put(record)

    def _spooled(self, messages: List[LogMessage]) -> List[LogMessage]:
        """Write messages to the spool file; return the messages that did not fit."""
        left = self._spool.append(messages)
        for _ in range(self._spool.take_displaced()):
            self._queue.count_dropped(LogMessage(0, True, b""))
        return left

    def _to_disk(self, messages: List[LogMessage]) -> None:
        for message in self._spooled(messages):
            self._queue.count_dropped(message)

    def _leave_on_disk(self, messages: List[LogMessage]) -> None:
        """Spool all unsent messages for the next client or for the worker."""
        self._to_disk(messages + self._queue.take(sys.maxsize))
        self._report_dropped()
        self._to_disk(self._queue.take(1))
        with suppress(OSError):
            self._spool.close()
