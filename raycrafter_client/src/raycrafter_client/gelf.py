"""A logging handler that ships GELF over TLS from a thread, and never blocks who logs."""

import itertools
import logging
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from .backoff import Backoff
from .gelf_link import Link
from .gelf_message import encode
from .gelf_queue import BoundedQueue, Frame
from .gelf_spool import LogSpool

QUEUE_MESSAGES = 10000
QUEUE_BYTES = 8 * 1024 * 1024
SPOOL_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
# GELF knows no acknowledgement: what was sent this long before a connection died is sent again (it carries the same
# _client_seq). Longer than the kernel's patience with an unacknowledged send.
RESEND_SECONDS = 15.0
RESEND_MESSAGES = 1000
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
        self._sent: Deque[Tuple[float, Frame]] = deque(maxlen=RESEND_MESSAGES)
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
            # the thread may be within a connection's own timeout; it is a daemon and dies with the process
            self._thread.join(seconds + 1.0)
        super().close()

    def close(self) -> None:
        """Flush for two seconds at most."""
        self.close_within(2.0)

    def _put(self, record: logging.LogRecord) -> None:
        seq = next(self._seq)
        data = encode(record, self._host, dict(self.fields, client_seq=seq))
        self._queue.put(Frame(seq, record.levelno <= logging.DEBUG, data))

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._turn(IDLE_SECONDS)
            self._next_try = 0.0
            while time.monotonic() < self._deadline and self._turn(0):
                pass
        finally:
            # what the deadline left over: for the next client in this directory, or for a person
            self._to_disk(self._queue.take(QUEUE_MESSAGES + 1, 0))
            if self._link is not None:
                self._link.close()
            with suppress(OSError):
                self._spool.close()

    def _turn(self, seconds: float) -> bool:
        """Do one round of work, waiting ``seconds`` at most for messages; return whether more can be done at once."""
        frames = self._queue.take(500, seconds)
        link = self._usable_link()
        if link is None:
            self._to_disk(frames)
            return bool(frames)
        try:
            for index, frame in enumerate(frames):
                self._sent.append((time.monotonic(), frame))
                try:
                    link.send(frame.data)
                except OSError:
                    # the frame itself is in the resend window
                    frames = frames[index + 1 :]
                    raise
            frames = []
            self._replay(link)
            self._report_dropped()
        except OSError as error:
            self._lose_link(frames, error)
        return bool(frames or self._spool or self._link is None)

    def _usable_link(self) -> Optional[Link]:
        """Return a connection that the server has not closed; try for a new one when it is time."""
        if self._link is not None:
            try:
                self._link.check()
            except OSError as error:
                self._lose_link([], error)
        if self._link is None and time.monotonic() >= self._next_try:
            try:
                self._link = self._connect()
                self._backoff.reset()
                self._told = False
            except OSError as error:
                self._next_try = time.monotonic() + self._backoff.next()
                self._tell(error)
        return self._link

    def _lose_link(self, unsent: List[Frame], error: OSError) -> None:
        """Keep what may not have arrived, and what was not sent."""
        if self._link is not None:
            self._link.close()
            self._link = None
        self._next_try = time.monotonic() + self._backoff.next()
        oldest = time.monotonic() - RESEND_SECONDS
        self._to_disk([frame for sent, frame in self._sent if sent >= oldest])
        self._sent.clear()
        self._to_disk(unsent)
        self._tell(error)

    def _tell(self, error: OSError) -> None:
        """Log once per outage; the message waits on disk like the others."""
        if not self._told:
            self._told = True
            text = "no connection to the log server, messages wait on disk: %s"
            logging.getLogger(__name__).warning(text, error, extra={"fields": {"kind": "log_link"}})

    def _replay(self, link: Link) -> None:
        """Send a part of the spool file: new messages get their turn in between."""
        if not self._spool:
            return
        lines = self._spool.peek(CHUNK_BYTES)
        for line in lines:
            link.send(line)
            self._sent.append((time.monotonic(), Frame(0, False, line)))
            self._spool.advance(len(line) + 1)

    def _report_dropped(self) -> None:
        debug, other = self._queue.take_dropped()
        if debug or other:
            text = "{} log messages were dropped, {} of them DEBUG".format(debug + other, debug)
            record = logging.LogRecord("raycrafter_client", logging.WARNING, "", 0, text, None, None)
            record.fields = {"kind": "log_dropped", "dropped": debug + other, "dropped_debug": debug}
            self._put(record)

    def _to_disk(self, frames: List[Frame]) -> None:
        for frame in self._spool.append(frames):
            self._queue.count_dropped(frame.debug)
