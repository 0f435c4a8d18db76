"""The thread that tells the server that the client lives, and hears whether it shall go on."""

import logging
import threading
from typing import Optional

from . import stop
from .api import Api, ApiError, UnreachableError
from .progress import Progress
from .reporter import Reporter

# What the server's refusals mean for a client that is rendering.
REFUSALS = {401: stop.REFUSED, 403: stop.REFUSED, 409: stop.FENCED, 410: stop.CANCELLED}


def stop_for(error: ApiError) -> Optional[str]:
    """Return why the client must stop after this refusal; None when it need not."""
    return REFUSALS.get(error.status)


class Heartbeat(threading.Thread):
    """Beats every so many seconds, and at once when ``poke()`` is called. A lost beat changes nothing."""

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
        # Thread has a _native_id of its own
        self._batch_job = native_id
        self._progress = progress
        self._switch = switch
        self._reporter = reporter
        self._seconds = seconds
        self._wake = threading.Event()
        self._ending = False
        self._silent = False

    def run(self) -> None:
        """Beat until ``end()``."""
        while not self._ending:
            self._beat()
            self._wake.wait(self._seconds)
            self._wake.clear()

    def poke(self) -> None:
        """Beat now."""
        self._wake.set()

    def end(self) -> None:
        """Beat no more."""
        self._ending = True
        self._wake.set()

    def _beat(self) -> None:
        frames = self._progress.snapshot()
        try:
            answer = self._api.heartbeat(self._batch_job, frames, max(2.0, self._seconds))
        except UnreachableError as error:
            if not self._silent:
                self._silent = True
                self._reporter.event(logging.WARNING, "server_away", "the server is away: {}".format(error))
            return
        except ApiError as error:
            reason = stop_for(error)
            if reason:
                self._switch.set(reason)
            self._reporter.event(logging.WARNING, "heartbeat_refused", str(error))
            return
        if self._silent:
            self._silent = False
            self._reporter.event(logging.INFO, "server_back", "the server answers again")
        action = answer.data.get("action")
        if action == "stop" and not self._progress.is_in_work(frames):
            # meant for a frame whose result has overtaken this beat; if the batch is meant, the next answer says so
            self.poke()
        elif action == "stop":
            self._switch.set(stop.STOPPED)
        elif action == "drain" and not self._switch.draining:
            self._switch.draining = True
            self._reporter.event(logging.INFO, "draining", "the server wants no further frame from this batch")
