"""Starting, reading and ending a renderer."""

import sys
import threading
import time
from pathlib import Path

import pytest
from raycrafter_client.runner import Runner

from raycrafter_client import stop


@pytest.fixture()
def switch():
    made = stop.StopSwitch()
    yield made
    made.close()


def run(switch, script, seconds=60.0, grace=5.0, on_stderr=None):
    out, err = [], []
    runner = Runner(switch, time.monotonic() + seconds, grace)
    ended = runner.run(
        [sys.executable, "-c", "import os, signal, sys, time\n" + script], "/", out.append, on_stderr or err.append
    )
    return ended, b"".join(out), b"".join(err)


def test_both_outputs_and_the_figures(switch):
    script = "x = 'm' * 80000000; time.sleep(0.2); print('out'); sys.stderr.write('err'); sys.exit(3)"
    ended, out, err = run(switch, script)
    assert (ended.returncode, out, err) == (3, b"out\n", b"err")
    assert 0.2 <= ended.seconds < 30
    assert 80000 < ended.peak_rss_kb < 2000000


def test_stdin_is_closed_and_the_group_is_its_own(switch):
    ended, out, _ = run(
        switch, "print(repr(sys.stdin.read()), os.getpid() == os.getpgid(0), os.getsid(0) == os.getpid())"
    )
    assert out == b"'' True True\n"
    assert ended.returncode == 0


def test_much_output_on_both_streams_does_not_stall(switch):
    ended, out, err = run(switch, "for i in range(200):\n  os.write(1, b'o' * 50000); os.write(2, b'e' * 50000)")
    assert (ended.returncode, len(out), len(err)) == (0, 10000000, 10000000)


def test_a_thrown_switch_terminates_at_once(switch):
    # thrown when the renderer says that it is ready
    ended, _, _ = run(
        switch,
        "sys.stderr.write('ready'); sys.stderr.flush(); time.sleep(60)",
        on_stderr=lambda _: switch.set(stop.STOPPED),
    )
    assert ended.returncode == -15
    assert ended.seconds < 20


def test_a_deaf_renderer_is_killed_after_the_grace(switch):
    script = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); sys.stderr.write('ready'); sys.stderr.flush(); time.sleep(60)"
    )
    ended, _, _ = run(switch, script, grace=0.5, on_stderr=lambda _: switch.set(stop.STOPPED))
    assert ended.returncode == -9
    assert 0.5 <= ended.seconds < 20


def test_the_deadline_throws_the_switch(switch):
    ended, _, _ = run(switch, "time.sleep(60)", seconds=0.5)
    assert ended.returncode == -15
    assert switch.reason == stop.WALLTIME


def test_what_the_renderer_leaves_behind_is_ended_too(switch):
    script = (
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )
    started = time.monotonic()
    ended, out, _ = run(switch, script)
    assert ended.returncode == 0
    # the child held the pipes open
    assert time.monotonic() - started < 20
    while is_running(int(out)):
        assert time.monotonic() - started < 30
        time.sleep(0.02)


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def test_a_program_that_closes_its_outputs_is_still_watched(switch):
    timer = threading.Timer(1.0, switch.set, [stop.STOPPED])
    timer.start()
    ended, _, _ = run(switch, "os.close(1); os.close(2); time.sleep(60)")
    assert ended.returncode == -15


def test_a_missing_program_is_an_oserror(switch):
    with pytest.raises(OSError, match="no-such-renderer"):
        Runner(switch, time.monotonic() + 5, 1).run(["/no-such-renderer"], "/", print, print)


def test_the_first_reason_wins(switch):
    switch.set(stop.CANCELLED)
    switch.set(stop.TERMINATED)
    assert switch.reason == stop.CANCELLED
    assert switch.wait(60)
