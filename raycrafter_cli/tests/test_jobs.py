"""Test the commands that submit, list, watch and cancel jobs."""

import errno
import io
import json
import os
import tarfile
from pathlib import Path

import httpx
import pytest

from .conftest import problem


@pytest.fixture
def scene(tmp_path):
    """Return a directory with a scene."""
    directory = tmp_path / "castle"
    (directory / "textures").mkdir(parents=True)
    (directory / "castle.pov").write_text("sphere {}")
    (directory / "textures" / "stone.png").write_bytes(b"stone")
    (directory / ".git").mkdir()
    (directory / ".git" / "config").write_text("secret")
    return directory


def members(upload):
    name, content = upload["scene"]
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return name, {member.name: member for member in tar.getmembers()}


def test_submit_sends_the_file_and_all_options(rc, service, scene):
    words = ["--frames", "1-20", "--width", "640", "--height", "480", "--name", "My castle"]
    options = ["--option", "clock_final=2.5", "--option", "cyclic=true", "--option", "word=abc"]
    result = rc("submit", scene / "castle.pov", *words, *options)
    assert result.output == "Job 1 (My castle): 2 frames\n"
    (upload,) = service.uploads
    assert upload.pop("scene") == ("castle.pov", b"sphere {}")
    assert json.loads(upload.pop("options")[1]) == {"clock_final": 2.5, "cyclic": True, "word": "abc"}
    assert {key: value.decode() for key, (_, value) in upload.items()} == {
        "name": "My castle",
        "renderer": "povray",
        "frames": "1-20",
        "width": "640",
        "height": "480",
    }


def test_submit_packs_a_directory(rc, service, scene):
    rc("submit", scene, "--frames", "1-2", "--main", "castle.pov")
    (upload,) = service.uploads
    name, found = members(upload)
    assert name == "castle.tar.gz"
    assert sorted(found) == ["castle.pov", "textures/stone.png"]
    assert all(member.isreg() and member.uid == 0 and member.uname == "" for member in found.values())
    assert upload["name"][1] == b"castle"
    assert upload["main"][1] == b"castle.pov"
    assert "width" not in upload  # the server has a default


def test_links_inside_become_files_and_links_outside_are_refused(rc, service, scene, tmp_path):
    (scene / "again.pov").symlink_to("castle.pov")
    rc("submit", scene, "--frames", "1")
    _, found = members(service.uploads[0])
    assert found["again.pov"].isreg()
    (tmp_path / "private").write_text("private")
    (scene / "out").symlink_to(tmp_path / "private")
    assert "link out of the scene" in rc("submit", scene, "--frames", "1", code=2).output
    assert len(service.uploads) == 1


def test_empty_directory_is_refused(rc, service, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "has no files" in rc("submit", tmp_path / "empty", "--frames", "1", code=2).output


def test_lost_response_creates_no_second_job(rc, service, scene):
    service.faults = [httpx.ReadError("connection reset"), httpx.Response(503)]
    rc("submit", scene / "castle.pov", "--frames", "1")
    assert len(service.requests) == 3
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1
    # Each attempt sends the whole file, not the unread rest.
    assert service.uploads[-1]["scene"][1] == b"sphere {}"
    assert len(service.jobs) == 1


def test_two_submissions_create_two_jobs(rc, service, scene):
    rc("submit", scene / "castle.pov", "--frames", "1")
    rc("submit", scene / "castle.pov", "--frames", "1")
    assert len(service.jobs) == 2


def test_refusal_of_the_server_is_explained(rc, scene):
    output = rc("submit", scene / "castle.pov", "--frames", "0-", code=2).output
    assert "frames: is no list" in output
    assert "frames: is no list of frames" in output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--frames", "1", "--option", "novalue"], "KEY=VALUE"),
        ([], "--frames"),
        (["--frames", "1", "--width", "0"], "--width"),
        (["--frames", "1", "--interval", "inf"], "--interval"),
        (["--frames", "1", "--interval", "nan"], "--interval"),
        (["--frames", "1", "--name", "\udcff"], "is not UTF-8 text"),
    ],
)
def test_wrong_usage_is_explained(rc, service, scene, words, reason):
    output = rc("submit", scene, *words, code=2).output
    assert reason in output and "Traceback" not in output
    assert service.requests == []


def test_names_outside_utf_8_are_refused(rc, service, scene):
    strange = Path(os.fsdecode(os.fsencode(scene) + b"/ch\xe2teau.pov"))
    strange.write_text("sphere {}")
    for path in (strange, scene):
        assert "ch?teau.pov is not UTF-8 text: rename it" in rc("submit", path, "--frames", "1", code=2).output
    assert service.requests == []


def test_device_is_refused(rc, service):
    assert "/dev/null is neither a file nor a directory" in rc("submit", "/dev/null", "--frames", "1", code=2).output
    assert service.requests == []


def test_failed_packing_is_explained(rc, service, scene, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tarfile.TarFile.add", full)
    output = rc("submit", scene, "--frames", "1", code=2).output
    assert f"cannot pack {scene}: [Errno 28] No space left on device" in output


def test_missing_scene_is_refused(rc, tmp_path):
    assert "does not exist" in rc("submit", tmp_path / "nothing.pov", "--frames", "1", code=2).output


def test_submit_prints_json_or_watches(rc, service, scene):
    assert json.loads(rc("submit", scene, "--frames", "1", "--json").output)["id"] == 1
    service.script = [{"state": "ACTIVE"}, {"state": "DONE"}]
    output = rc("submit", scene, "--frames", "1", "--watch", "--interval", "0.01").output
    assert output.splitlines()[-1].startswith("Job 2 is DONE")


def test_submit_with_watch_and_json_prints_json_lines(rc, service, scene):
    service.script = [{}, {"state": "ACTIVE"}, {"state": "FAILED"}]
    words = ["--frames", "1", "--json", "--watch", "--interval", "0.01"]
    output = rc("submit", scene, *words, code=1).output
    assert [json.loads(line)["state"] for line in output.splitlines()] == ["NEW", "ACTIVE", "FAILED"]


def test_list_shows_jobs_without_control_characters(rc, service):
    service.add(1, "DONE", [(1, "SYNCED", b"x")], name="first")
    service.add(2, "FAILED", [(1, "FAILED", None), (2, "RUNNING", None)], name="evil\x1b[2Jname")
    head, one, two = rc("list").output.splitlines()
    assert head.split() == ["JOB", "STATE", "FRAMES", "CREATED", "NAME"]
    assert one.split() == ["1", "DONE", "1/1", "frames,", "100", "%", "2030-05-01", "10:00:00", "first"]
    assert "0/2 frames, 0 %, 1 rendering, 1 failed" in two
    # A name cannot control the terminal.
    assert two.endswith("evil?[2Jname")


def test_list_and_status_print_json(rc, service):
    service.add(1)
    assert [job["id"] for job in json.loads(rc("list", "--json").output)] == [1]
    assert json.loads(rc("status", 1, "--json").output) == service.jobs[1]


def test_status_shows_the_job(rc, service):
    service.add(5, "ACTIVE", [(1, "SYNCED", b"x"), (2, "WAITING", None)])
    output = rc("status", 5).output
    assert "5 (scene)" in output
    assert "1-2: 1 WAITING, 1 SYNCED" in output
    assert "50 %" in output
    assert "/lustre/ws/rc-job-5" in output
    assert "Reason" not in output


def test_status_shows_the_newest_job_by_default(rc, service):
    service.add(9, name="newest")
    assert "9 (newest)" in rc("status").output


def test_unknown_job_is_explained(rc):
    output = rc("status", 77, code=2).output
    assert "No Job matches the given query. (404)\nCheck the number, or ask" in output


def test_watch_prints_changes_and_the_end(rc, service):
    service.add(5, "READY", [(1, "WAITING", None)])
    service.script = [{}, {}, {"state": "ACTIVE", "percent": 40.0}, {}, {"state": "DONE", "percent": 100.0}]
    lines = rc("watch", 5, "--interval", "0.01").output.splitlines()
    assert [line.split(" ", 1)[1] for line in lines[:-1]] == [
        "job 5 READY 0/1 frames, 0 %",
        "job 5 ACTIVE 0/1 frames, 40 %",
        "job 5 DONE 0/1 frames, 100 %",
    ]
    assert lines[-1] == "Job 5 is DONE: 0/1 frames, 100 %"


def test_watch_prints_the_progress_of_the_scenes_transfer(rc, service):
    service.add(5, "STAGING", [(1, "WAITING", None)])
    moving = {"kind": "in", "state": "RUNNING", "bytes_total": 9_000_000, "bytes_done": 3_100_000}
    service.transfers = [moving | {"state": "CANCELLED", "bytes_done": 0}, moving, moving | {"kind": "out"}]
    service.script = [{}, {}, {"state": "DONE"}]
    lines = rc("watch", 5, "--interval", "0.01").output.splitlines()
    assert lines[0].endswith("job 5 STAGING 0/1 frames, 0 %, 34 % of the scene sent")
    assert lines[1].endswith("job 5 DONE 0/1 frames, 0 %")


HOLDS = [
    {"state_reason": "Waiting: submission: login1 does not\nanswer"},
    {"state_reason": "", "paused": True},
    {"paused": False},
    {"state": "DONE"},
]


def test_watch_prints_holds_and_pauses(rc, service):
    service.add(5, "READY", [(1, "WAITING", None)])
    service.script = [dict(change) for change in HOLDS]
    lines = rc("watch", 5, "--interval", "0.01").output.splitlines()
    assert [line.split(" ", 1)[1] for line in lines[:3]] == [
        "job 5 READY 0/1 frames, 0 %. Waiting: submission: login1 does not answer",
        "job 5 READY, paused 0/1 frames, 0 %",
        "job 5 READY 0/1 frames, 0 %",
    ]


def test_progress_bar_shows_holds_and_pauses(rc, service, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    service.add(5, "READY", [(1, "WAITING", None)])
    service.script = [dict(change) for change in HOLDS]
    # rich draws the bar ten times per second.
    output = rc("watch", 5, "--interval", "0.3").output
    assert "Waiting: submission: login1 does not answer" in output
    assert "job 5 READY, paused" in output


def test_list_and_status_show_a_pause(rc, service):
    service.add(5)["paused"] = True
    assert "ACTIVE, paused" in rc("list").output
    assert "ACTIVE, paused" in rc("status", 5).output


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_watch_ends_with_1_if_the_job_is_not_done(rc, service, state):
    service.add(5, state, [(1, "SYNCED", b"x"), (2, "FAILED", None)])["state_reason"] = "1 frame failed"
    output = rc("watch", 5, code=1).output
    assert "1 frame failed" in output
    assert "frame 2: Parse Error: no brace" in output


def test_watch_survives_a_server_outage(rc, service):
    service.add(5, "ACTIVE", [(1, "RUNNING", None)])
    service.faults = [None, httpx.Response(502), httpx.ConnectError("refused"), httpx.ReadTimeout("slow")]
    service.script = [{}, {"state": "DONE"}]
    output = rc("watch", 5, "--interval", "0.01").output
    assert "Bad Gateway (502); trying again\n" in output
    assert output.count("trying again") == 1
    assert "Job 5 is DONE" in output


def test_watch_fails_after_a_long_server_outage(rc, service, monkeypatch):
    monkeypatch.setattr("raycrafter_cli.watch.MAX_FAILURES", 3)
    service.add(5)
    service.faults = [None, *[httpx.ConnectError("refused")] * 10]
    assert "cannot reach master1" in rc("watch", 5, "--interval", "0.01", code=2).output


def test_watch_draws_a_bar_on_a_terminal(rc, service, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then treats the output as a terminal
    service.add(5, "ACTIVE", [(1, "RUNNING", None)])
    service.script = [{"percent": 30.0}, {"state": "DONE", "percent": 100.0}]
    output = rc("watch", 5, "--interval", "0.01").output
    assert "━" in output
    assert "Job 5 is DONE" in output


def test_interrupted_watch_says_that_the_job_continues(rc, service, monkeypatch):
    service.add(5, "ACTIVE")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("raycrafter_cli.watch._poll", interrupt)
    assert "raycrafter watch 5" in rc("watch", 5, code=130).output


def test_cancel_prints_the_state_or_the_refusal(rc, service):
    service.add(5)
    assert rc("cancel", 5).output == "Job 5 is CANCELLING\n"
    service.add(6, "DONE")
    assert "Job 6 has ended: it is DONE. (409)" in rc("cancel", 6, code=2).output


def test_foreign_response_is_explained(rc, service):
    service.faults = [httpx.Response(200, text="<html>Welcome to nginx!</html>")]
    assert "did not answer as a RayCrafter server" in rc("status", 1, code=2).output
    service.faults = [httpx.Response(301, headers={"Location": "https://elsewhere.example/"})]
    assert "the server redirects to https://elsewhere.example/" in rc("status", 1, code=2).output
    assert {request.url.host for request in service.requests} == {"master1"}
    # Errors of another program, without a problem document.
    service.faults = [httpx.Response(404, json={"detail": ["no"], "errors": {"a": "b"}})]
    assert "Not Found (404)\nCheck the address https://master1." in rc("status", 1, code=2).output
    service.faults = [httpx.Response(500, text="<html>Oops</html>")]
    assert rc("status", 1, code=2).output == (
        "Error: Internal Server Error (500)\n"
        "The server https://master1 has failed: try again later, or inform its operators.\n"
    )


def test_temporary_error_is_retried_and_then_reported(rc, service):
    service.add(1)
    service.faults = [httpx.Response(503), httpx.ConnectTimeout("slow")]
    rc("status", 1)
    service.faults = [problem(503, "maintenance")] * 10
    assert "maintenance (503)" in rc("status", 1, code=2).output
