"""A logging handler that ships GELF over TLS from a thread, and never blocks who logs."""

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
from .gelf_queue import BoundedQueue, Dropped, Frame
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
    """Queue, thread, spool file, connection. ``close()`` flushes for a limited time."""

    def __init__(
        self,
        connect: Callable[[], Link],
        spool: LogSpool,
        host: str,
        fields: Dict[str, Any],
        queue: Optional[BoundedQueue] = None,
        retry_seconds: float = 1.0,
    ) -> None:
        """Start the thread. ``fields`` go into every message, each with an underscore before its name."""
        super().__init__(logging.DEBUG)
        self.fields = fields
        self._connect = connect
        self._spool = spool
        self._host = host
        self._queue = queue or BoundedQueue(QUEUE_MESSAGES, QUEUE_BYTES)
        self._backoff = Backoff(retry_seconds, 30.0)
        self._next_try = 0.0
        self._link: Optional[Link] = None
        self._told = False
        self._in_hand: List[Frame] = []
        self._reported = Dropped(0, 0)
        self._refusal = ""
        # numbers begin anew with every client, also in a spool directory that an earlier one has left
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
        """Send what can be sent in ``seconds``, leave the rest on disk, end the thread."""
        if not self._closing.is_set():
            self._deadline = time.monotonic() + seconds
            self._closing.set()
            self._queue.wake()
            self._thread.join(seconds + 1.0)
            if self._thread.is_alive():
                # it is within a connection's own timeout; it is a daemon and dies with the process
                doubtful = self._link.doubtful() if self._link else []
                self._leave_on_disk(doubtful + self._in_hand)
        super().close()

    def close(self) -> None:
        """Flush for two seconds at most."""
        self.close_within(2.0)

    def _put(self, record: logging.LogRecord) -> None:
        seq = next(self._seq)
        ids = {"client_seq": seq, "message_id": "{}-{}".format(self._run_id, seq)}
        self._queue.put(Frame(seq, record.levelno <= logging.DEBUG, encode(record, self._host, {**self.fields, **ids})))

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._turn(IDLE_SECONDS)
            self._next_try = 0.0
            while time.monotonic() < self._deadline and self._turn(0):
                if self._link is None:
                    time.sleep(max(0.0, min(self._next_try, self._deadline) - time.monotonic()))
        finally:
            self._leave_on_disk([])
            if self._link is not None:
                self._link.close()

    def _turn(self, seconds: float) -> bool:
        """Do one round of work, waiting ``seconds`` at most for messages; return whether there is more to do."""
        waiting = self._queue.wait(seconds)
        self._check_link()
        self._in_hand = self._queue.take(CHUNK_MESSAGES if self._link else sys.maxsize)
        if self._link is None:
            # connecting takes seconds, in which this process may be killed; what the disk does not take waits here
            self._in_hand = self._spooled(self._in_hand)
            self._try_to_connect(waiting)
        link = self._link
        sent = self._deliver(link, self._in_hand) if link else 0
        self._to_disk(self._in_hand[sent:])
        self._in_hand = []
        if link and link is self._link:
            self._replay(link)
            self._report_dropped()
        return bool(waiting or self._spool or self._queue.wait(0))

    def _check_link(self) -> None:
        """Give up a connection that the server has closed."""
        if self._link is not None:
            try:
                self._link.check()
            except OSError as error:
                # that an idle connection ends is no trouble
                self._lose_link(error, trouble=bool(self._link.doubtful()))

    def _try_to_connect(self, waiting: bool) -> None:
        """Connect when there are messages and it is time."""
        if (waiting or self._spool) and time.monotonic() >= self._next_try:
            try:
                self._link = self._connect()
            except OSError as error:
                self._note_trouble(error)

    def _deliver(self, link: Link, frames: List[Frame]) -> int:
        """Return how many messages are done with; when not all of them are, the connection is given up."""
        if not frames:
            return 0
        try:
            link.deliver(frames)
            self._backoff.reset()
            self._told = False
        except OSError as error:
            self._lose_link(error, trouble=True)
        for frame, self._refusal in link.take_refused():
            self._queue.count_dropped(frame)
        return link.delivered

    def _lose_link(self, error: OSError, trouble: bool) -> None:
        """Keep what may not have arrived."""
        link, self._link = self._link, None
        if link is not None:
            self._to_disk(link.doubtful())
            link.close()
        if trouble:
            self._note_trouble(error)

    def _note_trouble(self, error: OSError) -> None:
        """Wait before the next try; log once per outage, the message waits on disk like the others."""
        self._next_try = time.monotonic() + self._backoff.next()
        if not self._told:
            self._told = True
            text = "no connection to the log server, messages wait on disk: %s"
            logging.getLogger(__name__).warning(text, error, extra={"fields": {"kind": "log_link"}})

    def _replay(self, link: Link) -> None:
        """Send a part of the spool file: new messages get their turn in between. It stays there until it is sent."""
        frames = [Frame(0, is_debug(line), line) for line in self._spool.peek(CHUNK_BYTES)]
        sent = self._deliver(link, frames)
        self._spool.advance(sum(len(frame.data) + 1 for frame in frames[:sent]))

    def _report_dropped(self) -> None:
        """Say how many messages this client has dropped so far: the last such message is right, whichever are lost."""
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

    def _spooled(self, frames: List[Frame]) -> List[Frame]:
        """Write messages to the disk; return those that it does not take."""
        left = self._spool.append(frames)
        for _ in range(self._spool.take_displaced()):
            self._queue.count_dropped(Frame(0, True, b""))
        return left

    def _to_disk(self, frames: List[Frame]) -> None:
        for frame in self._spooled(frames):
            self._queue.count_dropped(frame)

    def _leave_on_disk(self, frames: List[Frame]) -> None:
        """Keep what could not be sent: for the next client in this directory, or for a person."""
        self._to_disk(frames + self._queue.take(sys.maxsize))
        self._report_dropped()
        self._to_disk(self._queue.take(1))
        with suppress(OSError):
            self._spool.close()
