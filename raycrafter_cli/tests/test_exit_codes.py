"""How the command ends when something comes in between: as a process, because exit codes are for other programs."""

import signal
import threading
import time
from pathlib import Path

import pytest

from .conftest import TlsServer


@pytest.fixture
def stalled(service, tmp_path):
    """A server that says nothing to what downloads a frame or submits a job; ``asked`` when that has come."""

    def answer(request):
        if request.url.path.endswith("/file") or request.method == "POST":
            server.asked.set()
            over.wait()
        return service(request)

    over, server = threading.Event(), TlsServer(answer, tmp_path)
    server.asked = threading.Event()
    yield server
    over.set()
    server.close()


@pytest.mark.parametrize(("words", "hint"), [(("fetch", 5), "the same fetch again goes on"), (("submit",), "")])
def test_ctrl_c_ends_with_130_and_at_once(command, service, stalled, tmp_path, words, hint):
    command.signed_in(url=stalled.url, ca=str(stalled.ca_file))
    service.add(5, "DONE", [(number, "SYNCED", b"picture") for number in range(1, 9)])
    (tmp_path / "scene.pov").write_text("sphere {}")
    more = ("-o", tmp_path / "out") if words[0] == "fetch" else (tmp_path / "scene.pov", "--frames", "1")
    process = command.start(*words, *more)
    assert stalled.asked.wait(20)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (130, "")
    assert time.monotonic() - begun < 5
    assert "Interrupted" in errors and hint in errors
    assert "Aborted" not in errors and "Traceback" not in errors


def test_ctrl_c_while_watching_says_that_the_job_goes_on(command, service, tls):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    service.add(5)
    process = command.start("watch", 5)
    assert "ACTIVE" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "\nThe job goes on; see it again with: raycrafter watch 5\n")


def test_a_reader_that_has_gone_is_not_a_job_that_failed(command, service, tls):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    service.add(5)
    process = command.start("watch", 5, "--interval", "0.01")
    assert "ACTIVE" in process.stdout.readline()
    process.stdout.close()
    service.script = [{"percent": 50.0}]
    assert process.wait(20) == 141
    assert process.stderr.read() == ""


def test_a_full_disk_below_the_output_is_named(command, service, tls):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    with Path("/dev/full").open("w") as full:
        process = command.start("list", stdout=full)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == "Error: [Errno 28] No space left on device\n"


def test_a_mistake_of_ours_does_not_say_that_the_job_failed(rc, service):
    del service.add(5)["state"]
    output = rc("status", 5, code=2).output
    assert "Traceback" in output and "please report it" in output


def test_what_the_terminals_encoding_does_not_have_is_no_reason_to_end(command, service, tls, monkeypatch):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    service.add(5, name="Schloß 🏰")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    output, errors = command.start("status", 5, encoding="latin-1").communicate(timeout=20)
    assert "5 (Schloß \\U0001f3f0)" in output, errors
