"""The media storage of worker hosts: Django's Storage over HTTPS."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any
from urllib.parse import quote, urljoin

import httpx
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible
from django.utils.functional import cached_property

CHUNK = 1024 * 1024  # bytes
SPOOL = 8 * CHUNK  # bytes of a download kept in memory before it goes to a temporary file
TIMEOUT = httpx.Timeout(60, connect=10)  # seconds, per operation on the socket


class StorageError(OSError):
    """The media host refused or could not be reached."""


def _read(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(CHUNK):
        yield chunk


@deconstructible(path="raycrafter.storage.HttpStorage")
class HttpStorage(Storage):
    """Files on the web host, by nginx's DAV location, with a client certificate.

    Raises StorageError, or FileNotFoundError on 404.
    """

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        """``transport`` replaces the network (tests)."""
        self._transport = transport

    @cached_property
    def _client(self) -> httpx.Client:
        media = settings.RAYCRAFTER.media
        if self._transport:
            return httpx.Client(transport=self._transport)
        context = ssl.create_default_context(cafile=media.ca_file)
        context.load_cert_chain(media.cert_file, media.key_file)
        return httpx.Client(verify=context, timeout=TIMEOUT, trust_env=False)

    def _address(self, name: str) -> str:
        return urljoin(settings.RAYCRAFTER.media.url.rstrip("/") + "/", quote(name))

    def _request(self, method: str, name: str, **arguments: Any) -> httpx.Response:
        address = self._address(name)
        try:
            response = self._client.request(method, address, **arguments)
        except httpx.HTTPError as error:
            raise StorageError(
                f"{method} {address}: {error}; is the media host up and its certificate valid?"
            ) from error
        return self._checked(response, method, name)

    def _checked(self, response: httpx.Response, method: str, name: str) -> httpx.Response:
        if response.status_code == 404:
            raise FileNotFoundError(f"{method} {self._address(name)}: no such file on the media host")
        if not response.is_success:
            fix = "; is this host in the media host's list of workers?" if response.status_code in (400, 403) else ""
            raise StorageError(f"{method} {self._address(name)}: answered {response.status_code}{fix}")
        return response

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("files of the media host are opened for reading; save() writes")
        with ExitStack() as stack:
            spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL))
            self.download(name, spool)
            spool.seek(0)
            stack.pop_all()  # the File closes it
            return File(spool, name)

    def _save(self, name: str, content: File) -> str:
        content.seek(0)
        self._request("PUT", name, content=_read(content), headers={"Content-Length": str(content.size)})
        return name

    def download(self, name: str, target: IO[bytes]) -> None:
        """Write the file to ``target`` as it arrives."""
        try:
            with self._client.stream("GET", self._address(name)) as response:
                self._checked(response, "GET", name)
                for chunk in response.iter_bytes(CHUNK):
                    target.write(chunk)
        except httpx.HTTPError as error:
            raise StorageError(f"GET {self._address(name)}: {error}") from error

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name itself: a repeated transfer replaces its file."""
        return name

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        try:
            self._request("HEAD", name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """Return the size in bytes."""
        return int(self._request("HEAD", name).headers["Content-Length"])

    def delete(self, name: str) -> None:
        """Remove the file; it may be gone already."""
        try:
            self._request("DELETE", name)
        except FileNotFoundError:
            return
