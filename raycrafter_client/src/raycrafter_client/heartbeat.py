"""Send heartbeats to the server and obey the action in its response."""

import logging
import threading
from typing import Optional

from . import stop
from .api import Api, ApiError, UnreachableError
from .progress import Progress
from .reporter import Reporter

# Stop reasons by the status of a refusal.
REFUSALS = {401: stop.REFUSED, 403: stop.REFUSED, 409: stop.FENCED, 410: stop.CANCELLED}


def stop_for(error: ApiError) -> Optional[str]:
    """Return the stop reason of a refusal, or None if the client continues."""
    return REFUSALS.get(error.status)


class Heartbeat(threading.Thread):
    """Send a heartbeat every ``seconds``, and at once after ``poke()``.

    A lost heartbeat has no effect: the next heartbeat repeats it.
    """

    def __init__(
        self,
        api: Api,
        native_id: str,
        progress: Progress,
        switch: stop.StopSwitch,
        reporter: Reporter,
        seconds: float,
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._api = api
        # threading.Thread uses the name _native_id.
        self._batch_job = native_id
        self._progress = progress
        self._switch = switch
        self._reporter = reporter
        self._seconds = seconds
        self._wake = threading.Event()
        self._ending = False
        self._unreachable = False

    def run(self) -> None:
        """Send heartbeats until ``end()``."""
        while not self._ending:
            self._beat()
            self._wake.wait(self._seconds)
            self._wake.clear()

    def poke(self) -> None:
        """Send a heartbeat now."""
        self._wake.set()

    def end(self) -> None:
        """Send no more heartbeats."""
        self._ending = True
        self._wake.set()

    def _beat(self) -> None:
        frames = self._progress.snapshot()
        try:
            response = self._api.heartbeat(self._batch_job, frames, max(2.0, self._seconds))
        except UnreachableError as error:
            if not self._unreachable:
                self._unreachable = True
                self._reporter.event(logging.WARNING, "server_away", "the server is unreachable: {}".format(error))
            return
        except ApiError as error:
            reason = stop_for(error)
            if reason:
                self._switch.set(reason)
            self._reporter.event(logging.WARNING, "heartbeat_refused", str(error))
            return
        if self._unreachable:
            self._unreachable = False
            self._reporter.event(logging.INFO, "server_back", "the server answers again")
        action = response.data.get("action")
        if action == "stop" and not self._progress.is_current(frames):
            # The action may concern a frame that has ended meanwhile. An action for the batch comes again.
            self.poke()
        elif action == "stop":
            self._switch.set(stop.STOPPED)
        elif action == "drain" and not self._switch.draining:
            self._switch.draining = True
            self._reporter.event(logging.INFO, "draining", "the server wants no further frame from this batch")
