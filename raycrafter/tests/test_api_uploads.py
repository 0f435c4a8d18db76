"""Uploads in pieces: they go on where they were, take no memory, and become a job once."""

from __future__ import annotations

import base64
import hashlib
import io
import tracemalloc
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.storage import default_storage
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from django.utils import timezone
from raycrafter.api.uploads import MAX_PIECE, UploadView
from raycrafter.api.views import JobsView
from raycrafter.jobs import requests, uploads
from raycrafter.jobs.models import Job, Upload
from rest_framework.test import APIClient, force_authenticate

from raycrafter import storage

SCENE = b"camera{location <0,0,-3>} sphere{0,1 pigment{rgb 1}}"
PIECE = "application/offset+octet-stream"
MIB = 1024 * 1024


def announce(api: APIClient, size: int = len(SCENE), name: str = "ball.pov", sha256: str = "") -> Any:
    """Begin an upload."""
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    if sha256:
        metadata += f",sha256 {base64.b64encode(sha256.encode()).decode()}"
    headers = {"Upload-Length": str(size), "Upload-Metadata": metadata, "Tus-Resumable": "1.0.0"}
    return api.post("/api/v1/uploads", headers=headers)


def send(api: APIClient, address: str, offset: int, data: bytes, **headers: str) -> Any:
    """Send a piece."""
    return api.patch(address, data, content_type=PIECE, headers={"Upload-Offset": str(offset)} | headers)


def submit(api: APIClient, upload: str, key: str | None = None, **fields: Any) -> Any:
    """Make a job of an upload."""
    body = {"upload": upload, "name": "ball", "renderer": "povray", "frames": "1-2"} | fields
    return api.post("/api/v1/jobs", body, format="json", headers={"Idempotency-Key": key} if key else {})


@pytest.fixture
def whole(api: APIClient) -> str:
    """The id of an upload that is whole."""
    begun = announce(api)
    send(api, begun["Location"], 0, SCENE)
    return begun.json()["id"]


def test_an_upload_in_pieces_becomes_a_job(api: APIClient, media: Path) -> None:
    begun = announce(api, sha256=hashlib.sha256(SCENE).hexdigest())
    assert (begun.status_code, begun["Tus-Resumable"], begun["Upload-Offset"]) == (201, "1.0.0", "0")
    address = begun["Location"]
    assert send(api, address, 0, SCENE[:20])["Upload-Offset"] == "20"
    standing = api.head(address)
    assert (standing["Upload-Offset"], standing["Upload-Length"]) == ("20", str(len(SCENE)))
    assert standing["Cache-Control"] == "no-store"
    assert "has 20 of" in submit(api, begun.json()["id"]).json()["detail"]
    answer = send(api, address, 20, SCENE[20:])
    assert (answer.status_code, answer.content) == (204, b"")
    job = submit(api, begun.json()["id"])
    assert job.status_code == 201, job.content
    assert (media / f"jobs/{job.json()['id']}/scene/ball.pov").read_bytes() == SCENE
    # nothing is kept twice
    assert [path.name for path in media.rglob("*") if path.is_file()] == ["ball.pov"]


def test_a_repeated_submission_of_an_upload_is_the_same_job(api: APIClient, whole: str) -> None:
    first, second = submit(api, whole, "key"), submit(api, whole, "key")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert submit(api, whole, "key", frames="1-3").status_code == 409
    assert "already" in submit(api, whole).json()["detail"]
    assert Job.objects.count() == 1


@pytest.mark.parametrize("key", [None, "key"])
def test_of_two_submissions_at_once_one_makes_the_job(
    api: APIClient, whole: str, media: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    faster: list[Any] = []

    def digest(upload: Any) -> str:
        if not faster:
            faster.append(None)
            faster[0] = submit(api, whole)
        return hashlib.sha256(SCENE).hexdigest()

    monkeypatch.setattr(requests, "scene_digest", digest)
    slower = submit(api, whole, key)
    assert (faster[0].status_code, slower.status_code) == (201, 409), slower.content
    assert Job.objects.count() == 1
    assert [path.name for path in media.rglob("*") if path.is_file()] == ["ball.pov"]


def test_a_piece_is_no_larger_than_nginx_takes(api: APIClient) -> None:
    text = Path(__file__).parents[2].joinpath("roles/nginx/vars/main.yml").read_text(encoding="utf-8")
    assert f"upload_max: {MAX_PIECE // 1024**3}g\n    upload_paths:" in text
    address = announce(api, 3 * 1024**3)["Location"]
    answer = send(api, address, 0, b"x", **{"Content-Length": str(MAX_PIECE + 1)})
    assert answer.status_code == 413 and "A piece has" in answer.json()["detail"]


def test_another_scene_under_the_same_key_is_another_request(api: APIClient, whole: str) -> None:
    submit(api, whole, "key")
    begun = announce(api)
    send(api, begun["Location"], 0, SCENE.replace(b"1", b"2"))
    assert submit(api, begun.json()["id"], "key").status_code == 409


def test_request_that_does_not_fit_changes_nothing(api: APIClient) -> None:
    address = announce(api)["Location"]
    send(api, address, 0, SCENE[:20])
    for answer, status in (
        (send(api, address, 0, SCENE), 409),
        (send(api, address, 30, SCENE[30:]), 409),
        (send(api, address, 20, SCENE), 413),
        (send(api, address, -1, SCENE), 400),
        (send(api, address, 20, SCENE[20:], **{"Tus-Resumable": "0.2.2"}), 412),
        (api.patch(address, "{}", content_type="application/json", headers={"Upload-Offset": "20"}), 415),
    ):
        assert answer.status_code == status, answer.content
        assert answer["Content-Type"] == "application/problem+json"
    assert api.get(address).json()["offset"] == 20


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"size": 0}, 400),
        ({"size": 9 * 1024**3}, 413),
        ({"name": "virus.exe"}, 400),
        ({"name": ""}, 400),
        ({"sha256": "abc"}, 400),
    ],
)
def test_upload_is_refused_before_it_is_sent(api: APIClient, options: dict[str, Any], status: int) -> None:
    assert announce(api, **options).status_code == status
    assert not Upload.objects.exists()


def test_other_bytes_than_announced_make_no_job(api: APIClient, media: Path) -> None:
    begun = announce(api, sha256=hashlib.sha256(b"other").hexdigest())
    send(api, begun["Location"], 0, SCENE)
    answer = submit(api, begun.json()["id"])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "upload")
    assert api.delete(begun["Location"]).status_code == 204
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_either_a_scene_or_an_upload(api: APIClient, stranger: Any, whole: str) -> None:
    assert submit(api, "nothing").json()["errors"][0]["field"] == "upload"
    form = {"upload": whole, "scene": io.BytesIO(SCENE), "name": "x", "renderer": "povray", "frames": "1"}
    assert api.post("/api/v1/jobs", form, format="multipart").json()["errors"][0]["field"] == "scene"
    other = APIClient()
    other.force_authenticate(stranger)
    assert submit(other, whole).json()["errors"][0]["message"] == "you have no such upload"


def test_abandoned_uploads_are_removed(api: APIClient, whole: str, media: Path) -> None:
    Upload.objects.update(expires=timezone.now() - timedelta(seconds=1))
    fresh = announce(api).json()["id"]
    assert [row["id"] for row in api.get("/api/v1/uploads").json()["results"]] == [fresh]
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_too_many_at_once(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    assert [announce(api).status_code for _ in range(3)] == [201, 201, 409]


def test_the_slower_of_two_requests_loses(api: APIClient, media: Path) -> None:
    announce(api)
    slow, fast = Upload.objects.get(), Upload.objects.get()
    assert uploads.append(fast, io.BytesIO(SCENE), len(SCENE))
    assert not uploads.append(slow, io.BytesIO(b"x" * 10), 10)
    with default_storage.open(Upload.objects.get().pieces[0]) as piece:
        assert piece.read() == SCENE
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1


# --- bodies that do not come from memory ------------------------------------------------------------------------------


class Zeros(io.RawIOBase):
    """A body of zeros that nobody has in memory; breaks off after ``good`` bytes, if told to."""

    def __init__(self, size: int, good: int | None = None) -> None:
        self.left, self.good = size, good

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.good is not None and self.good <= 0:
            raise ConnectionResetError("by peer")
        count = min(len(buffer), self.left, MIB if self.good is None else self.good)
        buffer[:count] = bytes(count)
        self.left -= count
        self.good = None if self.good is None else self.good - count
        return count


def streamed(view: Any, owner: Any, method: str, kind: str, body: io.RawIOBase, length: int, **address: Any) -> Any:
    """Call a view as a WSGI server does: the body is a stream. ``address`` has what is in the path, and headers."""
    headers = address.pop("headers", {})
    environ = RequestFactory().generic(method, "/", b"-", content_type=kind, headers=headers).environ
    environ |= {"wsgi.input": io.BufferedReader(body, MIB), "CONTENT_LENGTH": str(length)}
    request = WSGIRequest(environ)
    request._dont_enforce_csrf_checks = True
    force_authenticate(request, owner)
    with closing(request):
        return view.as_view()(request, **address)


def patch(owner: Any, upload: Upload, body: Zeros, length: int) -> Any:
    """Send a piece."""
    headers = {"Upload-Offset": str(upload.offset)}
    return streamed(UploadView, owner, "PATCH", PIECE, body, length, pk=upload.pk, headers=headers)


def new_upload(owner: Any, size: int) -> Upload:
    return Upload.objects.create(
        owner=owner, filename="big.tar", size=size, expires=timezone.now() + timedelta(hours=1)
    )


def test_a_broken_connection_leaves_what_has_arrived(owner: Any, api: APIClient) -> None:
    upload = new_upload(owner, 10 * MIB)
    patch(owner, upload, Zeros(10 * MIB, good=3 * MIB), 10 * MIB)
    upload.refresh_from_db()
    assert 0 < upload.offset <= 3 * MIB
    assert api.head(f"/api/v1/uploads/{upload.pk}")["Upload-Offset"] == str(upload.offset)
    rest = 10 * MIB - upload.offset
    assert patch(owner, upload, Zeros(rest), rest).status_code == 204
    upload.refresh_from_db()
    with uploads.assemble(upload) as scene:
        assert (scene.size, hashlib.file_digest(scene, "sha256").digest()) == (
            10 * MIB,
            hashlib.sha256(bytes(10 * MIB)).digest(),
        )


def peak(work: Any) -> int:
    """Return how much memory Python holds at most while it works, in bytes beyond what it held before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_upload_takes_no_memory(owner: Any, api: APIClient) -> None:
    """256 MB stand for the gigabytes of a real one: read whole, they show; that is tried as well."""
    size, bound = 256 * MIB, 16 * MIB
    upload = new_upload(owner, size)
    assert peak(lambda: patch(owner, upload, Zeros(size), size)) < bound
    upload.refresh_from_db()
    assert upload.offset == size

    def assembled() -> None:
        with uploads.assemble(upload) as scene:
            assert scene.size == size

    assert peak(assembled) < bound
    assert peak(lambda: io.BufferedReader(Zeros(size)).read()) >= size


def test_the_form_takes_no_memory_either(api: APIClient, owner: Any) -> None:
    size = 64 * MIB
    head = b"".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"name": "big", "renderer": "povray", "frames": "1"}.items()
    )
    head += b'--B\r\nContent-Disposition: form-data; name="scene"; filename="big.pov"\r\n\r\n'
    tail = b"\r\n--B--\r\n"

    class Form(Zeros):
        parts = (io.BytesIO(head), Zeros(size), io.BytesIO(tail))

        def readinto(self, buffer: Any) -> int:
            return next((count for part in self.parts if (count := part.readinto(buffer))), 0)

    length, kind = len(head) + size + len(tail), "multipart/form-data; boundary=B"
    answers: list[Any] = []
    assert peak(lambda: answers.append(streamed(JobsView, owner, "POST", kind, Form(0), length))) < 16 * MIB
    assert answers[0].status_code == 201, answers[0].data
    assert Job.objects.get().scene_size == size


def test_pieces_may_be_on_another_host(
    owner: Any, api: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A web host whose files are on the first one: pieces are written and read by HTTP."""
    import httpx

    files: dict[str, bytes] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "PUT":
            files[path] = request.read()
            return httpx.Response(201)
        if path not in files:
            return httpx.Response(404)
        return (
            httpx.Response(204, content=files.pop(path, b""))
            if request.method == "DELETE"
            else httpx.Response(200, content=files[path])
        )

    there = storage.HttpStorage(httpx.MockTransport(answer))
    monkeypatch.setattr(storage.HttpStorage, "_address", lambda _, name: f"https://media/{name}")
    monkeypatch.setattr(uploads, "default_storage", there)
    upload = new_upload(owner, len(SCENE))
    assert uploads.append(upload, io.BytesIO(SCENE[:9]), 9)
    assert uploads.append(upload, io.BytesIO(SCENE[9:]), len(SCENE) - 9)
    with uploads.assemble(upload) as scene:
        assert scene.read() == SCENE
    uploads.remove(upload)
    assert files == {}
