"""Test the exit codes of the command as a process."""

import signal
import threading
import time
from pathlib import Path

import pytest

from .conftest import TlsServer


@pytest.fixture
def stalled(service, tmp_path):
    """Return a server that does not respond to downloads and submissions.

    The event ``requested`` is set when such a request has arrived.
    """

    def answer(request):
        if request.url.path.endswith("/file") or request.method == "POST":
            server.requested.set()
            end.wait()
        return service(request)

    end, server = threading.Event(), TlsServer(answer, tmp_path)
    server.requested = threading.Event()
    yield server
    end.set()
    server.close()


@pytest.mark.parametrize(("words", "hint"), [(("fetch", 5), "run the same command again"), (("submit",), "")])
def test_ctrl_c_ends_the_command_at_once_with_130(command, service, stalled, tmp_path, words, hint):
    command.signed_in(url=stalled.url, ca=str(stalled.ca_file))
    service.add(5, "DONE", [(number, "SYNCED", b"picture") for number in range(1, 9)])
    (tmp_path / "scene.pov").write_text("sphere {}")
    more = ("-o", tmp_path / "out") if words[0] == "fetch" else (tmp_path / "scene.pov", "--frames", "1")
    process = command.start(*words, *more)
    assert stalled.requested.wait(20)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (130, "")
    assert time.monotonic() - begun < 5
    assert "Interrupted" in errors and hint in errors
    assert "Aborted" not in errors and "Traceback" not in errors


def test_ctrl_c_while_watching_says_that_the_job_continues(command, service, tls):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    service.add(5)
    process = command.start("watch", 5)
    assert "ACTIVE" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "\nThe job continues; watch it again with: raycrafter watch 5\n")


def test_closed_output_ends_with_141(command, service, tls):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    service.add(5)
    process = command.start("watch", 5, "--interval", "0.01")
    assert "ACTIVE" in process.stdout.readline()
    process.stdout.close()
    service.script = [{"percent": 50.0}]
    assert process.wait(20) == 141
    assert process.stderr.read() == ""


def test_full_disk_is_named(command, service, tls):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    with Path("/dev/full").open("w") as full:
        process = command.start("list", stdout=full)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == "Error: [Errno 28] No space left on device\n"


def test_bug_ends_with_2(rc, service):
    del service.add(5)["state"]
    output = rc("status", 5, code=2).output
    assert "Traceback" in output and "please report it" in output


def test_characters_outside_the_terminals_encoding_are_escaped(command, service, tls, monkeypatch):
    command.signed_in(url=tls.url, ca=str(tls.ca_file))
    service.add(5, name="Schloß 🏰")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    output, errors = command.start("status", 5, encoding="latin-1").communicate(timeout=20)
    assert "5 (Schloß \\U0001f3f0)" in output, errors
