"""Test the start, the output and the end of a renderer."""

import os
import sys
import threading
import time

import pytest
from raycrafter_client.runner import Runner
from raycrafter_client.spawner import Spawner

from raycrafter_client import stop


@pytest.fixture()
def switch():
    made = stop.StopSwitch()
    yield made
    made.close()


@pytest.fixture()
def spawner():
    made = Spawner()
    yield made
    made.close()


@pytest.fixture()
def run(switch, spawner):
    def call(script, seconds=60.0, grace=5.0, on_stderr=None):
        out, err = [], []
        runner = Runner(spawner, switch, time.monotonic() + seconds, grace)
        ended = runner.run(
            [sys.executable, "-c", "import os, signal, sys, time\n" + script], "/", out.append, on_stderr or err.append
        )
        return ended, b"".join(out), b"".join(err)

    return call


def test_runner_reads_both_outputs_and_measures(run):
    script = "x = 'm' * 80000000; time.sleep(0.2); print('out'); sys.stderr.write('err'); sys.exit(3)"
    ended, out, err = run(script)
    assert (ended.returncode, out, err) == (3, b"out\n", b"err")
    assert 0.2 <= ended.seconds < 30
    assert 80000 < ended.peak_rss_kb < 2000000


def test_renderer_has_no_stdin_and_its_own_group(run):
    ended, out, _ = run("print(repr(sys.stdin.read()), os.getpid() == os.getpgid(0), os.getsid(0))")
    assert out.decode() == f"'' True {os.getsid(0)}\n"
    assert ended.returncode == 0


def test_much_output_on_both_streams_does_not_block(run):
    ended, out, err = run("for i in range(200):\n  os.write(1, b'o' * 50000); os.write(2, b'e' * 50000)")
    assert (ended.returncode, len(out), len(err)) == (0, 10000000, 10000000)


def test_switch_terminates_the_renderer_at_once(switch, run):
    # Set when the renderer has printed that it is ready.
    ended, _, _ = run(
        "sys.stderr.write('ready'); sys.stderr.flush(); time.sleep(60)",
        on_stderr=lambda _: switch.set(stop.STOPPED),
    )
    assert ended.returncode == -15
    assert ended.seconds < 20


def test_renderer_that_ignores_sigterm_is_killed_after_the_grace(switch, run):
    script = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); sys.stderr.write('ready'); sys.stderr.flush(); time.sleep(60)"
    )
    ended, _, _ = run(script, grace=0.5, on_stderr=lambda _: switch.set(stop.STOPPED))
    assert ended.returncode == -9
    assert 0.5 <= ended.seconds < 20


def test_runner_waits_for_a_late_sigterm(switch, run):
    """The frame is interrupted, not failed."""

    def throw_later(_):
        threading.Timer(0.2, switch.set, [stop.TERMINATED]).start()

    script = "sys.stderr.write('ready'); sys.stderr.flush(); os.kill(os.getpid(), signal.SIGTERM)"
    ended, _, _ = run(script, on_stderr=throw_later)
    assert (ended.returncode, switch.reason) == (-15, stop.TERMINATED)


def test_deadline_sets_the_switch(switch, run):
    ended, _, _ = run("time.sleep(60)", seconds=0.5)
    assert ended.returncode == -15
    assert switch.reason == stop.WALLTIME


def test_renderers_children_are_killed(run, is_running):
    script = (
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )
    started = time.monotonic()
    ended, out, _ = run(script)
    assert ended.returncode == 0
    # The child held the pipes open.
    assert time.monotonic() - started < 20
    while is_running(int(out)):
        assert time.monotonic() - started < 30
        time.sleep(0.02)


def test_renderer_that_closes_its_outputs_is_still_watched(switch, run):
    timer = threading.Timer(1.0, switch.set, [stop.STOPPED])
    timer.start()
    ended, _, _ = run("os.close(1); os.close(2); time.sleep(60)")
    assert ended.returncode == -15


def test_missing_program_raises_oserror(switch, spawner):
    with pytest.raises(OSError, match="no-such-renderer"):
        Runner(spawner, switch, time.monotonic() + 5, 1).run(["/no-such-renderer"], "/", print, print)


def test_first_reason_wins(switch):
    switch.set(stop.CANCELLED)
    switch.set(stop.TERMINATED)
    assert switch.reason == stop.CANCELLED
    assert switch.wait(60)
