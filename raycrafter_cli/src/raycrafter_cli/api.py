"""The users' REST interface."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import httpx

from . import __version__
from .errors import CertificateError, CliError, connection_error, status_error
from .settings import Settings

TRIES = 4
PAUSE_SECONDS = 0.5  # before the second try; doubles
PASSING = {502, 503, 504}
PAGE_SIZE = 1000


class UnavailableError(CliError):
    """No answer, or one that says to come back later."""


class Api:
    """Calls to the service. Raises CliError with words for a person."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        """``transport`` replaces the network in tests."""
        self.url = settings.url
        headers = {"User-Agent": f"raycrafter-cli/{__version__}", "Accept": "application/json"}
        if settings.token:
            headers["Authorization"] = f"Token {settings.token}"
        self._http = httpx.Client(
            base_url=f"{settings.url}/api/v1/",
            headers=headers,
            verify=_context(settings.ca),
            # redirects are not followed: the token is for this host only
            follow_redirects=False,
            timeout=httpx.Timeout(30.0, read=300.0),
            transport=transport,
        )

    def login(self, username: str, password: str) -> dict[str, Any]:
        """Exchange a password for a token."""
        return self._json("POST", "auth/login", json={"username": username, "password": password}, tries=1)

    def logout(self) -> None:
        """Void the token."""
        self._request("POST", "auth/logout", tries=1)

    def submit(self, fields: dict[str, str], scene: BinaryIO, filename: str, key: str) -> dict[str, Any]:
        """Submit a job. ``key`` makes repeats harmless: the server makes one job of it."""
        files = {"scene": (filename, scene)}
        return self._json("POST", "jobs", data=fields, files=files, headers={"Idempotency-Key": key})

    def job(self, number: int, tries: int = TRIES) -> dict[str, Any]:
        """Return one job."""
        return self._json("GET", f"jobs/{number}", tries=tries)

    def jobs(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest jobs."""
        return self._json("GET", "jobs", params={"page_size": limit})["results"][:limit]

    def cancel(self, number: int) -> dict[str, Any]:
        """Cancel a job; cancelling twice changes nothing."""
        return self._json("POST", f"jobs/{number}/cancel")

    def frames(self, number: int, state: str | None = None) -> Iterator[dict[str, Any]]:
        """Return a job's frames, page by page."""
        page = 1
        while page:
            params: dict[str, Any] = {"page": page, "page_size": PAGE_SIZE} | ({"state": state} if state else {})
            data = self._json("GET", f"jobs/{number}/frames", params=params)
            yield from data["results"]
            # the address in ``next`` is the server's view of itself; only whether there is one counts
            page = page + 1 if data.get("next") else 0

    @contextmanager
    def file(self, job: int, frame: int) -> Iterator[httpx.Response]:
        """Open a frame's file for streaming."""
        # not compressed on the way: the bytes are checked as they are stored
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        try:
            with self._http.stream("GET", f"jobs/{job}/frames/{frame}/file", headers=headers) as response:
                if response.status_code in PASSING:
                    raise UnavailableError(f"the server is not ready ({response.status_code})")
                if not response.is_success:
                    response.read()
                    raise status_error(response, self.url)
                yield response
        except httpx.HTTPError as error:
            failure = connection_error(error, self.url)
            raise failure if isinstance(failure, CertificateError) else UnavailableError(failure.message) from error

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._request(method, path, **options)
        try:
            data = response.json()
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise CliError(f"{self.url} does not speak like a RayCrafter server: is the address right?")
        return data

    def _request(self, method: str, path: str, tries: int = TRIES, **options: Any) -> httpx.Response:
        """Call, and call again where a repeat is harmless and may help."""
        for left in range(tries - 1, -1, -1):
            try:
                response = self._http.request(method, path, **options)
            except httpx.HTTPError as error:
                failure = connection_error(error, self.url)
                if isinstance(failure, CertificateError):
                    raise failure from error
            else:
                if response.status_code not in PASSING:
                    if response.is_success:
                        return response
                    raise status_error(response, self.url)
                failure = status_error(response, self.url)
            if left:
                threading.Event().wait(PAUSE_SECONDS * 2 ** (tries - 1 - left))
        raise UnavailableError(failure.message)


def _context(ca: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise CliError(f"{ca} cannot be used as a CA file: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
