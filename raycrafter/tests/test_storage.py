"""The workers' storage, against a real HTTPS server that wants a client certificate, as nginx's DAV location does."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.base import ContentFile, File
from raycrafter.config import Media
from raycrafter.storage import CHUNK, HttpStorage, StorageError


class Dav(BaseHTTPRequestHandler):
    """GET, HEAD, PUT, DELETE of files below ``root``, as nginx answers."""

    root: Path
    broken = False

    def _path(self) -> Path:
        return self.root / unquote(self.path).lstrip("/")

    def _answer(self, code: int, length: int = 0) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def do_HEAD(self) -> None:
        path = self._path()
        self._answer(200 if path.is_file() else 404, path.stat().st_size if path.is_file() else 0)

    def do_GET(self) -> None:
        if not self._path().is_file():
            return self._answer(404)
        data = self._path().read_bytes()
        self._answer(200, len(data))
        # a connection that ends before the file does
        self.wfile.write(data[: len(data) // 2] if self.broken else data)
        return None

    def do_PUT(self) -> None:
        # nginx's DAV module takes bodies of a known length
        if "Content-Length" not in self.headers:
            return self._answer(411)
        self._path().parent.mkdir(parents=True, exist_ok=True)
        existed = self._path().exists()
        self._path().write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        return self._answer(204 if existed else 201)

    def do_DELETE(self) -> None:
        if not self._path().is_file():
            return self._answer(404)
        self._path().unlink()
        return self._answer(204)

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def server(pki: Path, tmp_path: Path) -> Iterator[tuple[str, type[Dav]]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "host.crt", pki / "host.key")
    context.load_verify_locations(pki / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    handler = type("Handler", (Dav,), {"root": tmp_path / "media"})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{http.server_port}/", handler
    http.shutdown()
    http.server_close()
    thread.join()


def storage(settings: Any, pki: Path, url: str, who: str = "worker", ca: str = "ca") -> HttpStorage:
    media = Media(url=url, ca_file=f"{pki}/{ca}.crt", cert_file=f"{pki}/{who}.crt", key_file=f"{pki}/{who}.key")
    settings.RAYCRAFTER = replace(settings.RAYCRAFTER, media=media)
    return HttpStorage()


def test_files_go_there_and_come_back(settings: Any, pki: Path, server: Any, tmp_path: Path) -> None:
    there = storage(settings, pki, server[0])
    name = "jobs/1/frames/märchen 1#?.png"
    data = os.urandom(3 * CHUNK + 17)
    assert not there.exists(name)
    assert there.save(name, ContentFile(data)) == name
    assert (tmp_path / "media" / name).read_bytes() == data
    assert there.exists(name)
    assert there.size(name) == len(data)
    with there.open(name) as file:
        assert file.read() == data
    there.delete(name)
    assert not there.exists(name)
    there.delete(name)


def test_save_replaces_and_reads_from_the_start(settings: Any, pki: Path, server: Any, tmp_path: Path) -> None:
    there = storage(settings, pki, server[0])
    there.save("a", ContentFile(b"old and longer"))
    (tmp_path / "new").write_bytes(b"new")
    with (tmp_path / "new").open("rb") as file:
        file.read()
        assert there.save("a", File(file)) == "a"
    assert (tmp_path / "media/a").read_bytes() == b"new"


def test_download_streams_to_a_file(settings: Any, pki: Path, server: Any, tmp_path: Path) -> None:
    there = storage(settings, pki, server[0])
    data = os.urandom(2 * CHUNK)
    there.save("big", ContentFile(data))
    with (tmp_path / "copy").open("wb") as target:
        there.download("big", target)
    assert (tmp_path / "copy").read_bytes() == data


def test_missing_file_is_not_found(settings: Any, pki: Path, server: Any) -> None:
    there = storage(settings, pki, server[0])
    for call in (there.open, there.size):
        with pytest.raises(FileNotFoundError):
            call("nothing")


def test_torn_download_is_an_error(settings: Any, pki: Path, server: Any) -> None:
    there = storage(settings, pki, server[0])
    there.save("a", ContentFile(os.urandom(100_000)))
    server[1].broken = True
    with pytest.raises(StorageError):
        there.open("a")


@pytest.mark.parametrize(("who", "ca"), [("stranger", "ca"), ("worker", "stranger")])
def test_both_ends_must_be_of_the_ca(settings: Any, pki: Path, server: Any, who: str, ca: str) -> None:
    there = storage(settings, pki, server[0], who, ca)
    for call in (lambda: there.save("a", ContentFile(b"x")), lambda: there.exists("a")):
        with pytest.raises(StorageError):
            call()


def test_host_that_is_down(settings: Any, pki: Path) -> None:
    there = storage(settings, pki, "https://127.0.0.1:1/")
    with pytest.raises(StorageError, match=r"https://127\.0\.0\.1:1/a.*is the media host up"):
        there.exists("a")
