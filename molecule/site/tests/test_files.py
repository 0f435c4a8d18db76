"""Resumed uploads, ranges, thumbnails and archives through nginx and gunicorn."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator

import pytest
from scenario import wait_for
from service import archive, ended

SCENE = "camera { location <0, 0, -4> look_at 0 } sphere { <clock, 0, 0>, 1 pigment { rgb 1 } finish { ambient 1 } }\n"
PACKED = archive({"ball.pov": SCENE, "unused.inc": "// nothing\n" * 100_000})
HALF = len(PACKED) // 2


class BrokeOffError(Exception):
    """The connection of the sender is lost."""


def send(api, address: str, offset: int, content: Iterator[bytes] | bytes):
    """Send the rest of the scene from an offset."""
    headers = {"Upload-Offset": str(offset), "Content-Length": str(len(PACKED) - offset), "Tus-Resumable": "1.0.0"}
    headers["Content-Type"] = "application/offset+octet-stream"
    return api.patch(address, content=content, headers=headers)


@pytest.fixture(scope="module")
def job(api) -> dict:
    """Return a job whose scene was uploaded in two pieces."""
    pairs = {"filename": b"ball.zip", "sha256": hashlib.sha256(PACKED).hexdigest().encode()}
    metadata = ",".join(f"{name} {base64.b64encode(value).decode()}" for name, value in pairs.items())
    begun = api.post("uploads", headers={"Upload-Length": str(len(PACKED)), "Upload-Metadata": metadata})
    assert begun.status_code == 201, begun.text
    address = begun.headers["Location"]

    def half() -> Iterator[bytes]:
        yield PACKED[:HALF]
        raise BrokeOffError

    with pytest.raises(BrokeOffError):
        send(api, address, 0, half())
    offset = wait_for("the received part is kept", lambda: api.get(address).json()["offset"])
    assert offset <= HALF
    answer = send(api, address, offset, PACKED[offset:])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(PACKED))), answer.text
    fields = {"upload": begun.json()["id"], "name": "in pieces", "renderer": "povray", "frames": "1-2"}
    answer = api.post("jobs", json=fields | {"width": 80, "height": 60})
    assert answer.status_code == 201, answer.text
    return ended(api, answer.json()["id"])


@pytest.fixture(scope="module")
def frames(api, job) -> list[dict]:
    """Return the frames of the finished job."""
    assert job["state"] == "DONE", job["state_reason"]
    return api.get(job["urls"]["frames"]).json()["results"]


def test_range_of_a_frame_is_sent(api, frames):
    about = frames[0]["file"]
    whole = api.get(about["url"]).content
    assert hashlib.sha256(whole).hexdigest() == about["sha256"]
    part = api.get(about["url"], headers={"Range": "bytes=10-29"})
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 10-29/{len(whole)}")
    assert part.content == whole[10:30]
    rest = api.get(about["url"], headers={"Range": "bytes=30-"})
    assert (rest.status_code, rest.content) == (206, whole[30:])


def test_frame_has_a_thumbnail(api, frames):
    small = api.get(frames[0]["file"]["thumbnail_url"])
    assert (small.status_code, small.headers["Content-Type"]) == (200, "image/webp")
    assert small.content[:4] == b"RIFF" and "X-Checksum-Sha256" not in small.headers


def test_archive_contains_all_frames(api, job, frames):
    answer = api.get(job["urls"]["archive"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        digests = {hashlib.sha256(packed.read(name)).hexdigest() for name in packed.namelist()}
    assert digests == {frame["file"]["sha256"] for frame in frames}
