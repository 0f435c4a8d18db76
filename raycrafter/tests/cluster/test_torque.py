"""A site with Torque: the worker's tasks against the lab's stand-in for it, which runs the real batch script."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from raycrafter.jobs import compute_client, requests
from raycrafter.jobs.models import Notification

from raycrafter import tasks

COMMANDS = Path(__file__).parents[3] / "lab/torque"
LIMIT = 20  # seconds for a job to start or to end
# It passes over TERM, so its script is killed before it can leave an exit file, as 11 of 12 were on a real Torque.
CLIENT = "#!/bin/sh\ntrap '' TERM\ntouch began\nsleep 60\n"


@pytest.fixture
def torque(tmp_path: Path, monkeypatch):
    """The directory with the stand-in's switches; its jobs are killed at the end."""
    state = tmp_path / "torque"
    (state / "switches").mkdir(parents=True)
    for name, value in {
        "LAB_TORQUE": state,
        "LAB_TORQUE_SERVER": "login1",
        "LOGNAME": "render",
        "HOME": tmp_path,
    }.items():
        monkeypatch.setenv(name, str(value))
    yield state / "switches"
    for path in (state / "jobs").glob("*.json"):
        processes = re.findall(r'"(?:mom|session)": (\d+)', path.read_text())
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)


@pytest.fixture
def cluster(cluster, settings, torque, tmp_path: Path, monkeypatch):
    """The site's configuration; its compute client sleeps."""
    program = tmp_path / "client"
    program.write_text(CLIENT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{COMMANDS}:{os.environ['PATH']}")
    config = dataclasses.replace(
        cluster, dialect="torque", scheduler="torque", launcher="none", queue="workq", client_python=str(program)
    )
    settings.RAYCRAFTER = dataclasses.replace(
        settings.RAYCRAFTER,
        cluster=config,
        mail=dataclasses.replace(
            settings.RAYCRAFTER.mail, host="localhost", sender="render@example.org", operators=["ops@example.org"]
        ),
    )
    return config


def wait_for(condition: Callable[[], object]) -> None:
    """Return when the condition holds. Raises AssertionError after LIMIT seconds."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.05)


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def running(world, new_job):
    """Submit a job and return its batch, which runs on the cluster."""

    def make():
        job = new_job("1-2")
        world.turn()
        (batch,) = job.batches.all()
        wait_for(Path(batch.directory, "began").exists)
        return batch

    return make


def test_running_batch_is_followed(world, running) -> None:
    batch = running()
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.native_id, batch.absent_polls) == ("QUEUED", "1.login1", 0) and batch.last_seen
    assert not batch.job.events.filter(kind="infrastructure").exists()


def test_batch_deleted_by_an_operator_is_believed_at_once(world, running) -> None:
    batch = running()
    compute_client.claim(batch, batch.native_id, "nid00001")
    command("qdel", batch.native_id)
    assert not Path(batch.directory, "exit").exists()  # the script has no time to leave one
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.exit_status) == ("FINISHED", 271)
    assert batch.state_reason == "the batch ended without an exit file: it was killed (state C, exit status 271)"
    assert not batch.job.events.filter(message__contains="does not know it").exists()
    frame = batch.job.frames.get(number=1)
    assert (frame.state, frame.tries) == ("WAITING", 0)  # not the frame's fault
    assert batch.job.batches.exclude(pk=batch.pk).get().state == "QUEUED"


def test_walltime_is_named(world, running, settings) -> None:
    short = dataclasses.replace(settings.RAYCRAFTER.cluster, walltime="00:00:05", walltime_margin=1)
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=short)
    batch = running()
    wait_for(lambda: " C " in command("qstat"))
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.exit_status) == ("FINISHED", -11)
    assert "its walltime was over (state C, exit status -11)" in batch.state_reason


def test_scheduler_says_who_sent_the_signal_that_an_exit_file_tells_of(world, running) -> None:
    batch = running()
    command("qdel", batch.native_id)
    Path(batch.directory, "exit").write_text(f"{batch.native_id} 143\n")
    world.poll()
    batch.refresh_from_db()
    assert batch.exit_status == 143
    assert "the batch ended (exit 143): it was killed (state C, exit status 271)" in batch.state_reason


def test_disabled_queue_holds_the_job(world, new_job, torque: Path) -> None:
    (torque / "queue-disabled").touch()
    job = new_job("1-2")
    world.turn()
    job.refresh_from_db()
    assert job.state == "READY" and "Queue is not enabled" in job.state_reason
    (torque / "queue-disabled").unlink()
    tasks.common.pauses.clear()
    world.turn()
    job.refresh_from_db()
    assert (job.batches.get().state, job.state_reason) == ("QUEUED", "")


def test_lost_answer_of_qsub_is_looked_for(world, new_job, torque: Path) -> None:
    (torque / "answer-lost").touch()
    job = new_job("1-2")
    world.turn()
    (batch,) = job.batches.all()
    assert batch.state == "SUBMIT_UNKNOWN" and "End of File" in batch.state_reason
    (torque / "answer-lost").unlink()
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.native_id) == ("QUEUED", "1")
    assert command("qstat").count(batch.name) == 1


def test_held_batch_notifies_owner_and_operators(world, new_job, torque: Path) -> None:
    (torque / "queue-stopped").touch()
    job = new_job("1-2")
    job.owner.email = "ada@example.org"
    job.owner.save()
    world.turn()
    (batch,) = job.batches.all()
    path = torque.parent / "jobs/1.json"  # as qhold leaves it
    path.write_text(path.read_text().replace('"job_state": "Q"', '"job_state": "H"'))
    for _ in range(2):
        world.poll()
    job.refresh_from_db()
    batch.refresh_from_db()
    assert batch.state_reason == "waits: held"
    assert job.state_reason.startswith("Waiting: queue: batch") and "never starts by itself: held" in job.state_reason
    told = Notification.objects.filter(kind="stuck")
    assert {row.user_id for row in told} == {job.owner_id, None} and told.count() == 2
    path.write_text(path.read_text().replace('"job_state": "H"', '"job_state": "Q"'))
    world.poll()
    job.refresh_from_db()
    batch.refresh_from_db()
    assert (job.state_reason, batch.state_reason) == ("", "")


def test_final_reason_outlives_a_failed_poll(world, running, torque: Path) -> None:
    """A batch of a job that is over may still be listed when the server goes away."""
    batch = running()
    assert requests.cancel(batch.job, "ada")
    (torque / "server-stopped").touch()
    for _ in range(2):
        world.poll()
    (torque / "server-stopped").unlink()
    tasks.common.pauses.clear()
    world.turn()
    for _ in range(2):
        world.poll()
    batch.job.refresh_from_db()
    assert (batch.job.state, batch.job.state_reason) == ("CANCELLED", "cancelled by ada")
