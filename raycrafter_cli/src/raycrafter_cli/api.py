"""The users' REST interface."""

from __future__ import annotations

import base64
import json
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
PASSING = {429, 502, 503, 504}
MAX_PAUSE_SECONDS = 60.0
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
        try:
            self._http = httpx.Client(
                base_url=f"{settings.url}/api/v1/",
                headers=headers,
                verify=_context(settings.ca),
                # redirects are not followed: the token is for this host only
                follow_redirects=False,
                timeout=httpx.Timeout(30.0, read=300.0),
                transport=transport,
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            # httpx reads HTTPS_PROXY and the like; SOCKS needs a package of its own
            raise CliError(f"the proxy that HTTPS_PROXY or ALL_PROXY names cannot be used: {error}") from error

    def login(self, username: str, password: str, name: str, read_only: bool) -> dict[str, Any]:
        """Exchange a password for a token, which gets a name."""
        data = {"username": username, "password": password, "name": name, "read_only": read_only}
        return self._json("POST", "auth/login", json=data, tries=1)

    def logout(self) -> None:
        """Void the token."""
        self._request("POST", "auth/logout", tries=1)

    def submit(self, fields: dict[str, Any], scene: BinaryIO, filename: str, key: str) -> dict[str, Any]:
        """Submit a job. ``key`` makes repeats harmless: the server makes one job of it."""
        files = {"scene": (filename, scene)}
        return self._json("POST", "jobs", data=fields, files=files, headers={"Idempotency-Key": key})

    def submit_upload(self, fields: dict[str, Any], upload: str, key: str) -> dict[str, Any]:
        """Submit a job whose scene was uploaded before."""
        data = {key: value for key, value in fields.items() if key != "options"} | {"upload": upload}
        if "options" in fields:
            data["options"] = json.loads(fields["options"])
        return self._json("POST", "jobs", json=data, headers={"Idempotency-Key": key})

    def uploads(self) -> list[dict[str, Any]]:
        """Return the uploads that are under way."""
        return self._json("GET", "uploads", params={"page_size": PAGE_SIZE})["results"]

    def new_upload(self, filename: str, size: int, sha256: str) -> dict[str, Any]:
        """Announce an upload of so many bytes."""
        about = {"filename": filename, "sha256": sha256}
        pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in about.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
        return self._json("POST", "uploads", headers=headers)

    def upload(self, name: str) -> dict[str, Any]:
        """Return how an upload stands."""
        return self._json("GET", f"uploads/{name}")

    def send_piece(self, name: str, offset: int, data: bytes) -> None:
        """Send the bytes of an upload from ``offset`` on."""
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)}
        headers["Content-Type"] = "application/offset+octet-stream"
        self._request("PATCH", f"uploads/{name}", content=data, headers=headers, tries=1)

    def job(self, number: int, tries: int = TRIES) -> dict[str, Any]:
        """Return one job."""
        return self._json("GET", f"jobs/{number}", tries=tries)

    def jobs(self, limit: int, **wanted: Any) -> list[dict[str, Any]]:
        """Return the newest jobs; ``wanted`` are the server's filters."""
        return self._json("GET", "jobs", params={"page_size": limit} | wanted)["results"][:limit]

    def act(self, number: int, what: str) -> dict[str, Any]:
        """Cancel, retry, pause or resume a job, or extend its workspace."""
        # a second retry would be refused, because nothing is failed any more, and a second extension would be one more:
        # they are not sent again by themselves
        return self._json("POST", f"jobs/{number}/{what}", tries=1 if what in ("retry", "extend") else TRIES)

    def change(self, number: int, data: dict[str, Any]) -> dict[str, Any]:
        """Change what can be changed of a job."""
        return self._json("PATCH", f"jobs/{number}", json=data)

    def notifications(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return how one is told, after these changes if there are any. A secret comes once: not repeated."""
        if not changes:
            return self._json("GET", "notifications")
        return self._json("PATCH", "notifications", json=changes, tries=1)

    def shares(self, number: int) -> list[dict[str, Any]]:
        """Return with whom a job is shared."""
        return list(self._pages(f"jobs/{number}/shares", {}))

    def share(self, number: int, data: dict[str, Any]) -> None:
        """Share a job."""
        self._request("POST", f"jobs/{number}/shares", json=data)

    def unshare(self, number: int, share: int) -> None:
        """Share a job no longer."""
        self._request("DELETE", f"jobs/{number}/shares/{share}")

    def tokens(self) -> list[dict[str, Any]]:
        """Return what is known of one's tokens."""
        return list(self._pages("auth/tokens", {}))

    def make_token(self, data: dict[str, Any]) -> dict[str, Any]:
        """Make a token. Not repeated: each time would make another."""
        return self._json("POST", "auth/tokens", json=data, tries=1)

    def revoke_token(self, number: int) -> None:
        """Void a token."""
        self._request("DELETE", f"auth/tokens/{number}")

    def events(self, number: int, after: int, level: int | None) -> Iterator[dict[str, Any]]:
        """Return a job's events with a number above ``after``."""
        return self._pages(f"jobs/{number}/events", {"after": after} | ({"level": level} if level else {}))

    def frames(self, number: int, state: str | None = None) -> Iterator[dict[str, Any]]:
        """Return a job's frames."""
        return self._pages(f"jobs/{number}/frames", {"state": state} if state else {})

    def transfers(self, number: int) -> list[dict[str, Any]]:
        """Return a job's transfers."""
        return list(self._pages(f"jobs/{number}/transfers", {}))

    def _pages(self, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Return the rows of a list, page by page."""
        page = 1
        while page:
            data = self._json("GET", path, params=params | {"page": page, "page_size": PAGE_SIZE})
            yield from data["results"]
            # the address in ``next`` is the server's view of itself; only whether there is one counts
            page = page + 1 if data.get("next") else 0

    @contextmanager
    def file(self, job: int, frame: int, offset: int = 0) -> Iterator[httpx.Response]:
        """Open a frame's file for streaming, from ``offset`` (bytes) on; 206 tells that the server does so."""
        # not compressed on the way: the bytes are checked as they are stored
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
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
            pause = PAUSE_SECONDS * 2 ** (tries - 1 - left)
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
                pause = max(pause, _retry_after(response))
            if left:
                threading.Event().wait(pause)
        raise UnavailableError(failure.message)


def _retry_after(response: httpx.Response) -> float:
    """Return for how many seconds the server wants to be left alone."""
    try:
        return min(float(response.headers.get("Retry-After", 0)), MAX_PAUSE_SECONDS)
    except ValueError:
        return 0.0


def _context(ca: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise CliError(f"{ca} cannot be used as a CA file: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
