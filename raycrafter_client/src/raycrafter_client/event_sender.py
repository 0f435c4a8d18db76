"""Send events from the spool to the server in a thread."""

import logging
import threading
import time

from .api import Api, ApiError, UnreachableError
from .backoff import Backoff
from .event_spool import EventSpool
from .heartbeat import stop_for

logger = logging.getLogger(__name__)

CHUNK = 200
IDLE_SECONDS = 1.0
RETRY_LIMIT = 10.0  # seconds


class EventSender(threading.Thread):
    """Send events in order until the server has acknowledged them."""

    def __init__(self, api: Api, native_id: str, spool: EventSpool, retry_seconds: float = 1.0) -> None:
        super().__init__(name="events", daemon=True)
        self._api = api
        # threading.Thread uses the name _native_id.
        self._batch_job = native_id
        self._spool = spool
        self._backoff = Backoff(retry_seconds, RETRY_LIMIT)
        self._ending = threading.Event()
        self._wake = threading.Event()
        self._chunk = CHUNK

    def run(self) -> None:
        """Send events until ``end()``."""
        while not self._ending.is_set():
            if self._spool.wait_pending(IDLE_SECONDS) and not self._ending.is_set():
                self._send()

    def flush(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for the last acknowledgement; return whether it came."""
        if not self.is_alive():
            return False
        self._backoff = Backoff(0.5, 1.0)
        self._wake.set()
        end = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < end:
            if self._spool.wait_empty(min(0.25, max(0.0, end - time.monotonic()))):
                return True
        return False

    def end(self) -> None:
        """Send no more events; the rest stays on disk."""
        self._ending.set()
        self._wake.set()

    def _send(self) -> None:
        events = self._spool.pending(self._chunk)
        try:
            last = int(self._api.events(self._batch_job, events).data.get("last_seq") or 0)
        except (TypeError, ValueError, UnreachableError):
            self._pause()
            return
        except ApiError as error:
            self._handle_refusal(error, events[0]["seq"])
            return
        self._chunk = CHUNK
        if last >= events[0]["seq"]:
            self._backoff.reset()
            self._spool.acknowledge(last)
        else:
            self._pause()

    def _pause(self) -> None:
        self._wake.wait(self._backoff.next())
        self._wake.clear()

    def _handle_refusal(self, error: ApiError, first: int) -> None:
        """Send events one by one after a refusal; drop an event that is refused alone."""
        if stop_for(error):
            self._ending.set()
        elif self._chunk > 1:
            self._chunk = 1
        else:
            logger.warning("the server refused event %d: %s", first, error)
            self._spool.acknowledge(first)
