"""Test ``raycrafter fetch``: complete files, no repeated downloads, safe names."""

import errno
from pathlib import Path

import httpx
import pytest

from .conftest import TOKEN


@pytest.fixture
def job(service):
    frames = [(number, "SYNCED", f"picture {number}".encode() * 1000) for number in range(1, 8)]
    service.add(5, "DONE", [*frames, (8, "FAILED", None), (9, "RUNNING", None)])
    return service


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out"


def downloads(service):
    return [request for request in service.requests if request.url.path.endswith("/file")]


def test_fetch_downloads_every_frame(rc, job, target):
    output = rc("fetch", 5, "-o", target).output
    assert "7 frames fetched, 0 already there" in output
    assert "2 frames have no file: 1 FAILED, 1 RUNNING" in output
    assert sorted(path.name for path in target.iterdir()) == [f"scene_{number:04d}.png" for number in range(1, 8)]
    assert (target / "scene_0003.png").read_bytes() == b"picture 3" * 1000


def test_fetch_sends_the_token_to_the_server_only(rc, job, target):
    rc("fetch", 5, "-o", target)
    # The responses have URLs with another host.
    assert {request.url.host for request in job.requests} == {"master1"}


def test_fetch_skips_complete_files(rc, job, target):
    rc("fetch", 5, "-o", target)
    (target / "scene_0002.png").write_bytes(b"Picture 2" * 1000)  # same size, other content
    (target / "scene_0004.png").unlink()
    job.requests.clear()
    assert "2 frames fetched, 5 already there" in rc("fetch", 5, "-o", target).output
    assert {request.url.path.split("/")[-2] for request in downloads(job)} == {"2", "4"}
    assert (target / "scene_0002.png").read_bytes() == b"picture 2" * 1000


def test_fetch_removes_bytes_with_a_wrong_checksum(rc, job, target, monkeypatch):
    monkeypatch.setattr("raycrafter_cli.fetch.TRIES", 1)
    job.contents[5, 3] = b"something else"
    output = rc("fetch", 5, "-o", target, code=1).output
    assert "frame 3 (scene_0003.png)" in output
    assert "6 frames fetched" in output
    assert "scene_0003" not in " ".join(path.name for path in target.iterdir())


def test_interrupted_transfer_is_retried(rc, job, target, monkeypatch):
    real = job.__call__
    broken = iter([httpx.ReadError("reset"), httpx.Response(503)])

    def flaky(request):
        if request.url.path.endswith("/2/file"):
            fault = next(broken, None)
            if isinstance(fault, Exception):
                raise fault
            if fault:
                return fault
        return real(request)

    rc.service = flaky
    assert "7 frames fetched" in rc("fetch", 5, "-o", target, "--parallel", "2").output


@pytest.mark.parametrize(
    "name", ["../evil.png", "/tmp/evil.png", "a/b.png", ".hidden", "evil\x1b.png", "back\\slash.png"]
)
def test_unsafe_file_names_are_refused(rc, job, target, tmp_path, name):
    job.frames[5][0]["file"]["name"] = name
    output = rc("fetch", 5, "-o", target, code=1).output
    assert "is not written" in output
    assert len(list(target.iterdir())) == 6
    assert not list(tmp_path.glob("evil*"))


def test_default_directory_has_the_jobs_number(rc, job, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rc("fetch", 5)
    assert len(list((tmp_path / "job-5").iterdir())) == 7


def test_impossible_directory_is_named(rc, job, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in rc("fetch", 5, "-o", tmp_path / "file" / "deeper", code=2).output


def test_fetch_downloads_in_parallel_over_tls(command, job, tls, target):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    assert "7 frames fetched" in command("fetch", 5, "-o", target, "--parallel", "7", network=True).output
    assert all(request.headers["Authorization"] == f"Token {TOKEN}" for request in job.requests)
    assert (target / "scene_0007.png").read_bytes() == b"picture 7" * 1000


def test_partial_file_is_continued(rc, job, target):
    target.mkdir()
    (target / "scene_0003.png.part").write_bytes(job.contents[5, 3][:4000])
    rc("fetch", 5, "-o", target)
    ranges = {request.url.path.split("/")[-2]: request.headers.get("Range") for request in downloads(job)}
    assert ranges == {str(number): "bytes=4000-" if number == 3 else None for number in range(1, 8)}
    assert (target / "scene_0003.png").read_bytes() == job.contents[5, 3]
    assert not list(target.glob("*.part"))


def test_partial_file_with_other_content_is_replaced(rc, job, target, monkeypatch):
    monkeypatch.setattr("threading.Event.wait", lambda *_: False)
    target.mkdir()
    (target / "scene_0003.png.part").write_bytes(b"x" * 4000)
    rc("fetch", 5, "-o", target)
    assert (target / "scene_0003.png").read_bytes() == job.contents[5, 3]


def test_cut_download_continues_at_its_offset(rc, job, target, monkeypatch):
    monkeypatch.setattr("threading.Event.wait", lambda *_: False)
    real, cut = job.__call__, iter([4000])

    def broken(content):
        yield content
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    def flaky(request):
        answer = real(request)
        if request.url.path.endswith("/3/file") and (length := next(cut, None)):
            return httpx.Response(200, content=broken(answer.content[:length]))
        return answer

    rc.service = flaky
    assert "7 frames fetched" in rc("fetch", 5, "-o", target).output
    assert [request.headers.get("Range") for request in downloads(job)].count(None) == 7


def test_consecutive_failures_skip_the_rest(rc, service, target, monkeypatch):
    monkeypatch.setattr("raycrafter_cli.fetch.MAX_FAILURES", 3)
    service.add(5, "DONE", [(number, "SYNCED", b"picture") for number in range(1, 100)])
    real, full = service.__call__, []

    def open_part(*words, **options):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_open(*words, **options)

    def ending(request):
        if request.url.path.endswith("/5/file"):
            full.append(True)
        return real(request)

    real_open, rc.service = Path.open, ending
    monkeypatch.setattr("pathlib.Path.open", open_part)
    output = rc("fetch", 5, "-o", target, "--parallel", "1", code=1).output
    assert "5 frames fetched" in output
    assert output.count("No space left on device") == 3
    assert "91 frames were skipped" in output
    full.clear()
    rc.service = real
    assert "94 frames fetched, 5 already there" in rc("fetch", 5, "-o", target).output


def test_existing_unwritable_directory_is_named(rc, job):
    # Not even root can create a file in /proc/self.
    assert "cannot write to /proc/self" in rc("fetch", 5, "-o", "/proc/self", code=2).output
    assert not downloads(job)
