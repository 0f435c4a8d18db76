"""Call the users' REST interface."""

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
PAUSE_SECONDS = 0.5  # before the second attempt; doubles with each attempt
TEMPORARY_STATUSES = {429, 502, 503, 504}
MAX_PAUSE_SECONDS = 60.0
PAGE_SIZE = 1000


class UnavailableError(CliError):
    """The server did not respond, or responded with a temporary status."""


class Api:
    """Send requests to the service. Methods raise CliError with a text for the user."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        """Connect to the server in ``settings``; tests pass a ``transport``."""
        self.url = settings.url
        headers = {"User-Agent": f"raycrafter-cli/{__version__}", "Accept": "application/json"}
        if settings.token:
            headers["Authorization"] = f"Token {settings.token}"
        try:
            self._http = httpx.Client(
                base_url=f"{settings.url}/api/v1/",
                headers=headers,
                verify=_context(settings.ca),
                # Do not follow redirects: the token is for this host only.
                follow_redirects=False,
                timeout=httpx.Timeout(30.0, read=300.0),
                transport=transport,
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            # httpx reads the proxy variables; SOCKS proxies need another package.
            raise CliError(f"the proxy is invalid: {error}\nFix or unset HTTPS_PROXY or ALL_PROXY.") from error

    def login(self, username: str, password: str, name: str, read_only: bool) -> dict[str, Any]:
        """Exchange a password for a token called ``name``."""
        data = {"username": username, "password": password, "name": name, "read_only": read_only}
        return self._json("POST", "auth/login", json=data, tries=1)

    def logout(self) -> None:
        """Revoke the current token."""
        self._request("POST", "auth/logout", tries=1)

    def submit(self, fields: dict[str, Any], scene: BinaryIO, filename: str, key: str) -> dict[str, Any]:
        """Submit a job. The server creates one job per ``key``, so that retries are safe."""
        files = {"scene": (filename, scene)}
        return self._json("POST", "jobs", data=fields, files=files, headers={"Idempotency-Key": key})

    def submit_upload(self, fields: dict[str, Any], upload: str, key: str) -> dict[str, Any]:
        """Submit a job with the scene of a complete upload."""
        data = {key: value for key, value in fields.items() if key != "options"} | {"upload": upload}
        if "options" in fields:
            data["options"] = json.loads(fields["options"])
        return self._json("POST", "jobs", json=data, headers={"Idempotency-Key": key})

    def uploads(self) -> list[dict[str, Any]]:
        """Return the user's uploads."""
        return self._json("GET", "uploads", params={"page_size": PAGE_SIZE})["results"]

    def create_upload(self, filename: str, size: int, sha256: str) -> dict[str, Any]:
        """Create an upload of ``size`` bytes."""
        metadata = {"filename": filename, "sha256": sha256}
        pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
        return self._json("POST", "uploads", headers=headers)

    def upload(self, name: str) -> dict[str, Any]:
        """Return an upload with its offset."""
        return self._json("GET", f"uploads/{name}")

    def send_chunk(self, name: str, offset: int, data: bytes) -> None:
        """Send ``data`` as the bytes of an upload from ``offset``."""
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)}
        headers["Content-Type"] = "application/offset+octet-stream"
        self._request("PATCH", f"uploads/{name}", content=data, headers=headers, tries=1)

    def job(self, number: int, tries: int = TRIES) -> dict[str, Any]:
        """Return one job."""
        return self._json("GET", f"jobs/{number}", tries=tries)

    def jobs(self, limit: int, **filters: Any) -> list[dict[str, Any]]:
        """Return the newest jobs; ``filters`` are the server's query parameters."""
        return self._json("GET", "jobs", params={"page_size": limit} | filters)["results"][:limit]

    def act(self, number: int, action: str) -> dict[str, Any]:
        """Cancel, retry, pause or resume a job, or extend its workspace."""
        # Send retry and extend once: the server refuses a second retry, and a second extend is another extension.
        return self._json("POST", f"jobs/{number}/{action}", tries=1 if action in ("retry", "extend") else TRIES)

    def update(self, number: int, data: dict[str, Any]) -> dict[str, Any]:
        """Update fields of a job."""
        return self._json("PATCH", f"jobs/{number}", json=data)

    def notifications(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the user's notification settings after ``changes``, if any."""
        if not changes:
            return self._json("GET", "notifications")
        # Send changes once: the response to the first request has the only copy of a new secret.
        return self._json("PATCH", "notifications", json=changes, tries=1)

    def shares(self, number: int) -> list[dict[str, Any]]:
        """Return the shares of a job: users and groups with access."""
        return list(self._pages(f"jobs/{number}/shares", {}))

    def share(self, number: int, data: dict[str, Any]) -> None:
        """Share a job."""
        self._request("POST", f"jobs/{number}/shares", json=data)

    def unshare(self, number: int, share: int) -> None:
        """Delete a share of a job."""
        self._request("DELETE", f"jobs/{number}/shares/{share}")

    def tokens(self) -> list[dict[str, Any]]:
        """Return the user's tokens, without secrets."""
        return list(self._pages("auth/tokens", {}))

    def create_token(self, data: dict[str, Any]) -> dict[str, Any]:
        """Create a token. Sent once: a retry could create a second token."""
        return self._json("POST", "auth/tokens", json=data, tries=1)

    def revoke_token(self, number: int) -> None:
        """Revoke a token."""
        self._request("DELETE", f"auth/tokens/{number}")

    def events(self, number: int, after: int, level: int | None) -> Iterator[dict[str, Any]]:
        """Return a job's events with an id above ``after`` and at least ``level``."""
        return self._pages(f"jobs/{number}/events", {"after": after} | ({"level": level} if level else {}))

    def frames(self, number: int, state: str | None = None) -> Iterator[dict[str, Any]]:
        """Return a job's frames, optionally only those in ``state``."""
        return self._pages(f"jobs/{number}/frames", {"state": state} if state else {})

    def transfers(self, number: int) -> list[dict[str, Any]]:
        """Return a job's transfers."""
        return list(self._pages(f"jobs/{number}/transfers", {}))

    def _pages(self, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Return the rows of a paginated list."""
        page = 1
        while page:
            data = self._json("GET", path, params=params | {"page": page, "page_size": PAGE_SIZE})
            yield from data["results"]
            # Ignore the URL in ``next``: it may have the server's internal host name.
            page = page + 1 if data.get("next") else 0

    @contextmanager
    def file(self, job: int, frame: int, offset: int = 0) -> Iterator[httpx.Response]:
        """Open a frame's file for streaming from ``offset`` (bytes).

        The status is 206 if the server applies the offset.
        """
        # Without compression, the received bytes are the stored bytes, which have the checksum.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            with self._http.stream("GET", f"jobs/{job}/frames/{frame}/file", headers=headers) as response:
                if response.status_code in TEMPORARY_STATUSES:
                    raise UnavailableError(f"the server is not ready ({response.status_code}): try again later")
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
            raise CliError(f"{self.url} did not answer as a RayCrafter server: check the address")
        return data

    def _request(self, method: str, path: str, tries: int = TRIES, **options: Any) -> httpx.Response:
        """Send a request, at most ``tries`` times if the error is temporary."""
        for left in range(tries - 1, -1, -1):
            pause = PAUSE_SECONDS * 2 ** (tries - 1 - left)
            try:
                response = self._http.request(method, path, **options)
            except httpx.HTTPError as error:
                failure = connection_error(error, self.url)
                if isinstance(failure, CertificateError):
                    raise failure from error
            else:
                if response.status_code not in TEMPORARY_STATUSES:
                    if response.is_success:
                        return response
                    raise status_error(response, self.url)
                failure = status_error(response, self.url)
                pause = max(pause, _retry_after(response))
            if left:
                threading.Event().wait(pause)
        raise UnavailableError(failure.message)


def _retry_after(response: httpx.Response) -> float:
    """Return the pause in seconds that the server requests."""
    try:
        return min(float(response.headers.get("Retry-After", 0)), MAX_PAUSE_SECONDS)
    except ValueError:
        return 0.0


def _context(ca: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise CliError(
            f"{ca} cannot be used as a CA file: {error}\nSign in again with a PEM file: --ca FILE"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
