"""Call the server's REST interface for compute clients: one batch, one token."""

import http.client
import json
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Dict, List, NamedTuple, Optional
from urllib.parse import urlsplit

from . import __version__
from .backoff import Backoff

MAX_RESPONSE_BYTES = 4 * 1024 * 1024


class ApiError(Exception):
    """The server refused a request (3xx or 4xx). A retry gets the same response."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__("the server answered {}: {}".format(status, text))
        self.status = status


class UnreachableError(Exception):
    """No usable response: no connection, a bad certificate, a broken body, or 5xx."""


class Response(NamedTuple):
    """HTTP status and the JSON object of the body."""

    status: int
    data: Dict[str, Any]


class Api:
    """Send requests to the server. Every request is idempotent."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext, retry_seconds: float = 1.0) -> None:
        """Use the server at ``url`` (without /api/v1).

        ``retry_seconds`` is the first pause between two attempts.
        """
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._prefix = parts.path.rstrip("/") + "/api/v1/client/"
        self._token = token
        self._context = context
        self._retry_seconds = retry_seconds
        self.clock_offset = 0.0  # server's clock minus the local clock, seconds; the Date header has whole seconds

    def claim(self, native_id: str, host: str, until: float, wait: Callable[[float], bool]) -> Response:
        """Claim frames; status 204 means that no frames are left."""
        return self._retry("claim", {"native_id": native_id, "host": host}, until, wait)

    def heartbeat(self, native_id: str, frames: List[Dict[str, Any]], timeout: float) -> Response:
        """Send one heartbeat with the frames' progress; the next one is the retry."""
        return self.call("heartbeat", {"native_id": native_id, "frames": frames}, timeout)

    def events(self, native_id: str, events: List[Dict[str, Any]]) -> Response:
        """Send numbered events once; the response has the last number stored."""
        return self.call("events", {"native_id": native_id, "events": events})

    def result(self, number: int, result: Dict[str, Any], until: float, wait: Callable[[float], bool]) -> Response:
        """Report the result of an attempt at frame ``number``."""
        return self._retry("frames/{}/result".format(number), result, until, wait)

    def finish(self, native_id: str, reason: str, until: float, wait: Callable[[float], bool]) -> Response:
        """Report the end of this client."""
        return self._retry("finish", {"native_id": native_id, "reason": reason}, until, wait)

    def call(self, path: str, payload: Dict[str, Any], timeout: float = 30.0) -> Response:
        """POST once, with ``timeout`` in seconds.

        Raises ApiError for 3xx and 4xx, UnreachableError for every error that a retry may cure.
        """
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
            body = response.read(MAX_RESPONSE_BYTES + 1)
        # Before Python 3.7, CertificateError is not an OSError.
        except (OSError, http.client.HTTPException, ssl.CertificateError) as error:
            raise UnreachableError("{}:{}: {}".format(self._host, self._port, error or type(error).__name__)) from error
        finally:
            connection.close()
        self._set_clock_offset(response.getheader("Date"))
        return self._parse(response.status, body)

    def _retry(self, path: str, payload: Dict[str, Any], until: float, wait: Callable[[float], bool]) -> Response:
        """Repeat a request until the server responds.

        ``until`` is a time of time.monotonic(). ``wait(seconds)`` sleeps between attempts and returns True to stop
        early. Raises ApiError, and UnreachableError after the last attempt.
        """
        backoff = Backoff(self._retry_seconds)
        while True:
            left = until - time.monotonic()
            try:
                return self.call(path, payload, timeout=max(1.0, min(30.0, left)))
            except UnreachableError:
                left = until - time.monotonic()
                if left <= 0 or wait(min(left, backoff.next())):
                    raise

    def _parse(self, status: int, body: bytes) -> Response:
        if status == 204:
            return Response(status, {})
        try:
            if len(body) > MAX_RESPONSE_BYTES:
                raise ValueError("too long")
            data = json.loads(body.decode("utf-8"))
            if not isinstance(data, dict):
                raise ValueError("not an object")
        except ValueError as error:
            data = {}
            if status < 300:
                raise UnreachableError(
                    "{} did not answer as a RayCrafter server: {}".format(self._host, error)
                ) from error
        if status >= 500:
            raise UnreachableError("{} answered {}".format(self._host, status))
        if status >= 300:
            raise ApiError(status, str(data.get("detail") or data.get("title") or "without a reason"))
        return Response(status, data)

    def _set_clock_offset(self, date: Optional[str]) -> None:
        """Measure the clock offset: all times in responses are on the server's clock."""
        if not date:
            return
        try:
            self.clock_offset = parsedate_to_datetime(date).timestamp() - time.time()
        except (TypeError, ValueError):
            return
