"""Test chunked uploads, events, sharing, tokens, retries and shell completion."""

import json
import os
import subprocess
import sys

import httpx
import pytest

from .conftest import problem


@pytest.fixture
def large(tmp_path, monkeypatch):
    """Return a scene of two and a half chunks."""
    monkeypatch.setattr("raycrafter_cli.upload.CHUNK_BYTES", 1000)
    file = tmp_path / "large.tar"
    file.write_bytes(os.urandom(2500))
    return file


def sent(service):
    return [request for request in service.requests if request.method == "PATCH"]


# --- chunked uploads ------------------------------------------------------------------------------------------------


def test_large_scene_is_sent_in_chunks(rc, service, large):
    rc("submit", large, "--frames", "1-2", "--option", "quality=9")
    assert [int(request.headers["Upload-Offset"]) for request in sent(service)] == [0, 1000, 2000]
    ((about, content),) = service.pieces.values()
    assert (about["filename"], content) == ("large.tar", large.read_bytes())
    (fields,) = service.uploads
    assert fields["upload"][1] == b"u0"
    assert fields["options"][1] == b"{'quality': 9}"


def test_broken_upload_continues_at_its_offset(rc, service, large):
    real, broken = service.__call__, iter([httpx.WriteError("reset"), httpx.Response(503)])

    def flaky(request):
        if request.method == "PATCH" and request.headers["Upload-Offset"] == "1000":
            fault = next(broken, None)
            if isinstance(fault, Exception):
                # A part of the chunk has arrived.
                service.pieces["u0"][1] += request.content[:300]
                service.pieces["u0"][0]["offset"] = 1300
                raise fault
        return real(request)

    rc.service = flaky
    rc("submit", large, "--frames", "1-2")
    assert service.pieces["u0"][1] == large.read_bytes()
    assert len(service.jobs) == 1


def test_second_run_continues_the_upload_of_the_first(rc, service, large, monkeypatch):
    monkeypatch.setattr("raycrafter_cli.upload.MAX_FAILURES", 1)
    service.faults = [None, None, None, None, httpx.WriteError("reset")]
    assert "cannot reach" in rc("submit", large, "--frames", "1-2", code=2).output
    service.requests.clear()
    rc("submit", large, "--frames", "1-2")
    assert [int(request.headers["Upload-Offset"]) for request in sent(service)] == [1000, 2000]
    assert len(service.pieces) == 1


def test_directory_packed_twice_is_the_same_archive(rc, service, tmp_path, monkeypatch):
    (tmp_path / "castle").mkdir()
    (tmp_path / "castle" / "castle.pov").write_text("sphere {}")
    now = iter(range(2_000_000_000, 2_100_000_000, 1000))
    monkeypatch.setattr("time.time", lambda: next(now))
    for _ in range(2):
        rc("submit", tmp_path / "castle", "--frames", "1")
    first, second = (fields["scene"][1] for fields in service.uploads)
    assert first == second


# --- throttling -----------------------------------------------------------------------------------------------------


def test_retry_after_is_obeyed(rc, service, monkeypatch):
    waited = []
    monkeypatch.setattr("threading.Event.wait", lambda _, seconds=None: waited.append(seconds))
    slow = problem(429, "Request was throttled.")
    slow.headers["Retry-After"] = "7"
    service.faults = [slow]
    service.add(1)
    rc("status", 1)
    assert waited == [7.0]


# --- lists ----------------------------------------------------------------------------------------------------------


def test_list_sends_filters_to_the_server(rc, service):
    words = ["--state", "active", "--state", "DONE", "--renderer", "povray", "--owner", "alice", "--name", "castle"]
    assert "No jobs match." in rc("list", *words, "--since", "2030-05-01").output
    asked = service.requests[0].url.params
    assert asked.get_list("state") == ["ACTIVE", "DONE"]
    assert {name: asked[name] for name in ("renderer", "owner", "name", "created_after")} == {
        "renderer": "povray",
        "owner": "alice",
        "name": "castle",
        "created_after": "2030-05-01",
    }


def test_retry_prints_the_job(rc, service):
    service.add(5, "FAILED")
    assert rc("retry", 5).output == "Job 5 is READY\n"
    assert json.loads(rc("retry", 5, "--json").output)["id"] == 5


def test_pause_and_resume_print_the_state(rc, service):
    service.add(5)
    assert rc("pause", 5).output == "Job 5 is ACTIVE, paused\n"
    assert rc("resume", 5).output == "Job 5 is ACTIVE\n"


def test_submit_sends_priority_and_order(rc, service, large, tmp_path):
    small = tmp_path / "small.pov"
    small.write_text("sphere {}")
    for scene in (small, large):
        rc("submit", scene, "--frames", "1", "--priority", "80", "--after", "3", "--after", "4")
    form, body = service.requests[0].content, json.loads(service.requests[-1].content)
    assert form.count(b'name="after"') == 2
    assert (body["priority"], body["after"]) == ("80", [3, 4])


def test_watch_and_fetch_print_json(rc, service, tmp_path):
    service.add(5, "ACTIVE", [(1, "SYNCED", b"picture")])
    service.script = [{}, {"percent": 50.0}, {}, {"state": "DONE"}]
    lines = [json.loads(line) for line in rc("watch", 5, "--interval", "0.01", "--json").output.splitlines()]
    assert [(line["state"], line["percent"]) for line in lines] == [("ACTIVE", 100.0), ("ACTIVE", 50.0), ("DONE", 50.0)]
    service.jobs[5]["state"] = "FAILED"
    rc("watch", 5, "--json", code=1)
    fetched = json.loads(rc("fetch", 5, "-o", tmp_path / "out", "--json").output)
    assert fetched["frames"] == [{"number": 1, "name": "scene_0001.png", "how": "fetched", "error": ""}]


# --- events ---------------------------------------------------------------------------------------------------------


def event(number, message="frame 3: CLAIMED to RUNNING", level="INFO", frame=None):
    return {
        "id": number,
        "time": "2030-05-01T10:00:00Z",
        "level": level,
        "kind": "state",
        "batch": None,
        "frame": frame,
        "message": message,
        "data": {},
    }


def test_logs_prints_events(rc, service):
    service.add(5)
    service.events[5] = [event(number) for number in (1, 2, 3)] + [event(9, "evil\x1b[2J\nline", "ERROR", 7)]
    lines = rc("logs", 5).output.splitlines()
    assert lines[0] == "2030-05-01 10:00:00 INFO    frame 3: CLAIMED to RUNNING"
    assert lines[3] == "2030-05-01 10:00:00 ERROR   frame 7: evil?[2J line"
    assert [json.loads(line)["id"] for line in rc("logs", 5, "--json").output.splitlines()] == [1, 2, 3, 9]
    rc("logs", 5, "--level", "warning")
    assert service.requests[-1].url.params["level"] == "30"


def test_logs_follow_prints_every_event_to_the_end(rc, service):
    service.add(5)
    service.events[5] = [event(1)]
    new_events = iter([[event(2)], [], [event(3)]])
    real = service.__call__

    def living(request):
        answer = real(request)
        if request.url.path.endswith("/jobs/5"):
            service.events[5] += next(new_events)
        return answer

    rc.service = living
    service.script = [{}, {}, {"state": "DONE"}]
    output = rc("logs", 5, "-f", "--interval", "0.01", "--json").output
    assert [json.loads(line)["id"] for line in output.splitlines()] == [1, 2, 3]


# --- others ---------------------------------------------------------------------------------------------------------


def test_share_and_unshare_change_the_shares(rc, service):
    service.add(5)
    assert rc("share", 5, "--user", "bob").output == "user bob may see job 5\n"
    assert "group film may manage job 5" in rc("share", 5, "--group", "film", "--manage").output
    assert "either" in rc("share", 5, "--user", "a", "--group", "b", code=2).output
    rc("unshare", 5, "bob")
    assert rc("share", 5).output == "group film may manage job 5\n"
    assert "not shared with bob" in rc("unshare", 5, "bob", code=2).output


def test_tokens_are_created_listed_and_revoked(rc, service):
    assert rc("tokens", "create", "nightly", "--read-only", "--days", "3").output == "secret of 3 days\n"
    _, row = rc("tokens", "list").output.splitlines()
    assert row.split()[:3] == ["1", "read", "-"]
    assert row.endswith("nightly")
    assert rc("tokens", "revoke", 1).output == "Token 1 is revoked.\n"
    assert service.tokens == []


def test_login_token_has_the_hosts_name_and_may_be_read_only(command, service):
    command("login", "https://master1", "--username", "alice", "--read-only", stdin="correct horse")
    data = json.loads(service.requests[0].content)
    assert data["name"].startswith("raycrafter on ")
    assert data["read_only"] is True


def test_bash_completes_the_commands(rc, tmp_path):
    """Run the printed script in bash, with a wrapper of the command on the PATH."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "raycrafter"
    command.write_text(f"#!{sys.executable}\nfrom raycrafter_cli.main import main\nmain(prog_name='raycrafter')\n")
    command.chmod(0o755)
    script = tmp_path / "completion"
    script.write_text(rc("completion", "bash").output)
    words = 'source "$1"; COMP_WORDS=(raycrafter ret); COMP_CWORD=1; _raycrafter_completion raycrafter; echo $COMPREPLY'
    environment = os.environ | {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    result = subprocess.run(["bash", "-c", words, "-", script], env=environment, capture_output=True, text=True)
    assert result.stdout == "retry\n", result.stderr


def test_completion_supports_other_shells(rc):
    for shell in ("zsh", "fish"):
        assert "_RAYCRAFTER_COMPLETE" in rc("completion", shell).output
