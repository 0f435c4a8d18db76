"""The server's REST interface for clients: one batch, one token."""

import http.client
import json
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Dict, List, NamedTuple, Optional
from urllib.parse import urlsplit

from . import __version__
from .backoff import Backoff

# Answers are small; more than this is not our server.
MAX_ANSWER = 4 * 1024 * 1024


class ApiError(Exception):
    """The server answered with an error that another try would not change (3xx or 4xx)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__("the server answered {}: {}".format(status, text))
        self.status = status


class UnreachableError(Exception):
    """No usable answer: no connection, a bad certificate, a broken answer, or 5xx."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    data: Dict[str, Any]


class Api:
    """Calls to the server. Every call may be repeated: the server takes repeats as one."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext, retry_seconds: float = 1.0) -> None:
        """Talk to ``url`` (without /api/v1); ``retry_seconds`` is the first pause between tries."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._prefix = parts.path.rstrip("/") + "/api/v1/client/"
        self._token = token
        self._context = context
        self._retry_seconds = retry_seconds
        self.clock_offset = 0.0  # server's clock less ours, in seconds, to a second

    def claim(self, native_id: str, host: str, until: float, given_up: Callable[[float], bool]) -> Answer:
        """Ask for frames; 204 means that none are left."""
        return self._retrying("claim", {"native_id": native_id, "host": host}, until, given_up)

    def heartbeat(self, native_id: str, frames: List[Dict[str, Any]], timeout: float) -> Answer:
        """Say once that we live and how far the frames are. The next beat is the retry."""
        return self.call("heartbeat", {"native_id": native_id, "frames": frames}, timeout)

    def events(self, native_id: str, events: List[Dict[str, Any]]) -> Answer:
        """Send numbered events once; the answer holds the last number the server has."""
        return self.call("events", {"native_id": native_id, "events": events})

    def result(self, number: int, result: Dict[str, Any], until: float, given_up: Callable[[float], bool]) -> Answer:
        """Report how an attempt ended."""
        return self._retrying("frames/{}/result".format(number), result, until, given_up)

    def finish(self, native_id: str, reason: str, until: float, given_up: Callable[[float], bool]) -> Answer:
        """Say that this client ends."""
        return self._retrying("finish", {"native_id": native_id, "reason": reason}, until, given_up)

    def call(self, path: str, payload: Dict[str, Any], timeout: float = 30.0) -> Answer:
        """POST once. Raises ApiError for 3xx and 4xx, UnreachableError for everything that may pass by itself."""
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context)
        try:
            connection.request(
                "POST",
                self._prefix + path,
                json.dumps(payload).encode(),
                {
                    "Authorization": "Batch " + self._token,
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    "User-Agent": "raycrafter-client/" + __version__,
                },
            )
            response = connection.getresponse()
            body = response.read(MAX_ANSWER + 1)
        # CertificateError is no OSError before Python 3.7
        except (OSError, http.client.HTTPException, ssl.CertificateError) as error:
            raise UnreachableError("{}:{}: {}".format(self._host, self._port, error or type(error).__name__)) from error
        finally:
            connection.close()
        self._note_clock(response.getheader("Date"))
        return self._answer(response.status, body)

    def _retrying(self, path: str, payload: Dict[str, Any], until: float, given_up: Callable[[float], bool]) -> Answer:
        """Call until there is an answer. ``until`` is on time.monotonic(); ``given_up(seconds)`` waits between tries
        and returns True to end early. Raises UnreachableError then."""
        backoff = Backoff(self._retry_seconds)
        while True:
            left = until - time.monotonic()
            try:
                return self.call(path, payload, timeout=max(1.0, min(30.0, left)))
            except UnreachableError:
                left = until - time.monotonic()
                if left <= 0 or given_up(min(left, backoff.next())):
                    raise

    def _answer(self, status: int, body: bytes) -> Answer:
        if status == 204:
            return Answer(status, {})
        try:
            if len(body) > MAX_ANSWER:
                raise ValueError("too long")
            data = json.loads(body.decode("utf-8"))
            if not isinstance(data, dict):
                raise ValueError("not an object")
        except ValueError as error:
            data = {}
            if status < 300:
                raise UnreachableError("{} is no answer of this service: {}".format(self._host, error)) from error
        if status >= 500:
            raise UnreachableError("{} answered {}".format(self._host, status))
        if status >= 300:
            raise ApiError(status, str(data.get("detail") or data.get("title") or "without a reason"))
        return Answer(status, data)

    def _note_clock(self, date: Optional[str]) -> None:
        """Keep the difference of the clocks: the server's times are on the server's clock."""
        if not date:
            return
        try:
            self.clock_offset = parsedate_to_datetime(date).timestamp() - time.time()
        except (TypeError, ValueError):
            return
