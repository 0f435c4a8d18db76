"""Test the end of the renderer when the client or the spawner is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from raycrafter_client.runner import Runner
from raycrafter_client.spawner import Spawner

from raycrafter_client import linux, stop

SRC = Path(__file__).resolve().parent.parent / "src"
LIMIT = 20.0
# The renderer starts a child, like a wrapper script, and prints both process ids.
RENDERER = """
import os, signal, subprocess, sys, time
{}
child = subprocess.Popen([sys.executable, "-c", {!r} + "print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
child.stdout.readline()
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""
IGNORE_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
CLIENT = """
import os, sys, threading, time
from raycrafter_client.runner import Runner
from raycrafter_client.spawner import Spawner
from raycrafter_client.stop import StopSwitch
spawner = Spawner()
threading.Thread(target=time.sleep, args=[60], daemon=True).start()
command = [sys.executable, "-c", sys.argv[1]]
runner = Runner(spawner, StopSwitch(), time.monotonic() + 60, 5)
runner.run(command, "/", lambda data: os.write(1, data), lambda data: os.write(2, data))
"""


def wait_for(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"waited {LIMIT} s in vain"
        time.sleep(0.01)


def children(pid):
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.add(int(path.parent.name))
    return found


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.fixture()
def switch():
    made = stop.StopSwitch()
    yield made
    made.close()


@pytest.fixture()
def started():
    """Return the process ids of the spawners of this test."""
    return children(os.getpid())


@pytest.fixture()
def spawner(started):
    made = Spawner()
    yield made
    made.close()


@pytest.fixture()
def spawner_pid(started, spawner):
    (pid,) = children(os.getpid()) - started
    return pid


@pytest.fixture(params=["import time;", IGNORE_SIGTERM], ids=["default", "ignores_sigterm"])
def client(request, is_running):
    """Return a rendering client and the process ids of its renderer and the child."""
    renderer = RENDERER.format(request.param, request.param)
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, renderer],
        env=dict(os.environ, PYTHONPATH=str(SRC)),
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    pids = [int(word) for word in process.stdout.readline().split()]
    yield process, pids
    for pid in [process.pid, *pids]:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_renderer_dies_with_a_killed_client(client, is_running):
    process, pids = client
    assert all(is_running(pid) for pid in pids)
    (between,) = children(process.pid)
    process.kill()
    wait_for(lambda: not any(is_running(pid) for pid in [between, *pids]))


def test_renderer_dies_with_a_killed_spawner(client, is_running):
    process, pids = client
    (between,) = children(process.pid)
    os.kill(between, signal.SIGKILL)
    wait_for(lambda: not any(is_running(pid) for pid in pids))
    assert process.wait(timeout=LIMIT) == 0


def test_renderer_dies_when_client_and_spawner_are_killed_together(client, is_running):
    process, (renderer, _) = client
    os.killpg(process.pid, signal.SIGKILL)
    wait_for(lambda: not is_running(renderer))


def test_renderer_is_in_the_session_of_the_client(client):
    process, (renderer, child) = client
    assert os.getsid(renderer) == os.getsid(child) == process.pid
    assert os.getpgid(renderer) == os.getpgid(child) == renderer


def test_spawner_outlives_sigterm_to_the_whole_group(client, is_running):
    """Only the client reacts to the signal."""
    process, pids = client
    (between,) = children(process.pid)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(between, number)
    time.sleep(0.1)
    assert all(is_running(pid) for pid in [between, process.pid, *pids])


def test_killed_spawner_sets_the_switch(switch, spawner, spawner_pid):
    def kill(_):
        os.kill(spawner_pid, signal.SIGKILL)

    command = ["/bin/sh", "-c", "echo up; exec sleep 60"]
    ended = Runner(spawner, switch, time.monotonic() + 60, 5).run(command, "/", kill, print)
    assert ended.returncode == -signal.SIGKILL
    assert switch.reason == stop.SPAWNER_LOST == "the process that starts renderers has ended"


def test_frame_after_the_spawners_end_fails_at_once(switch, spawner, spawner_pid, is_running):
    os.kill(spawner_pid, signal.SIGKILL)
    wait_for(lambda: not is_running(spawner_pid))
    ended = Runner(spawner, switch, time.monotonic() + 60, 5).run(["/bin/true"], "/", print, print)
    assert (ended.returncode, switch.reason) == (-signal.SIGKILL, stop.SPAWNER_LOST)


def failure(spawner, switch, command, directory="/"):
    with pytest.raises(OSError) as caught:
        Runner(spawner, switch, time.monotonic() + 60, 5).run(command, directory, print, print)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("command", "directory"),
    [("/no-such-renderer", "/"), ("no-such-renderer", "/"), ("/etc/passwd", "/"), ("/bin/true", "/no-such-directory")],
)
def test_failed_start_raises_the_error_of_subprocess(switch, spawner, command, directory):
    with pytest.raises(OSError) as caught:
        subprocess.run([command], cwd=directory, check=True)
    assert failure(spawner, switch, [command], directory) == (type(caught.value), str(caught.value))


def test_null_byte_raises_oserror(switch, spawner):
    _, text = failure(spawner, switch, ["/bin/true", "a\0b"])
    assert "null byte" in text


def test_200_frames_leave_no_descriptors_and_no_zombies(switch, spawner, spawner_pid):
    def render(program="/bin/true"):
        return Runner(spawner, switch, time.monotonic() + 60, 5).run([program], "/", print, print)

    render()
    before = descriptors(os.getpid()), descriptors(spawner_pid)
    assert {render().returncode for _ in range(200)} == {0}
    with pytest.raises(FileNotFoundError):
        render("/no-such-renderer")
    assert (descriptors(os.getpid()), descriptors(spawner_pid)) == before
    assert children(spawner_pid) == set()


def test_close_ends_the_spawner_and_its_renderer(spawner, spawner_pid, is_running):
    out, into = os.pipe()
    spawner.start(["/bin/sleep", "60"], "/", into, into)
    os.close(into)
    pid = spawner.receive()["started"]
    spawner.close()
    assert not is_running(spawner_pid)
    wait_for(lambda: not is_running(pid))
    os.close(out)


def test_missing_prctl_raises_a_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctypes", None)
    with pytest.raises(linux.UnsupportedError, match="needs Linux and Python with ctypes"):
        Spawner()
