"""A site with Slurm's own commands and none of Torque's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from raycrafter.cluster import scheduler
from raycrafter.jobs import compute_client, requests

from raycrafter import tasks


@pytest.fixture
def cluster(cluster, settings):
    """The site's configuration."""
    config = dataclasses.replace(cluster, dialect="slurm", scheduler="slurm", launcher="srun")
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=config)
    return config


def test_from_new_to_done(world, new_job) -> None:
    job = new_job("1-2")
    world.turn()
    [batch] = job.batches.all()
    assert (batch.state, batch.native_id) == ("QUEUED", "1")
    assert f"#SBATCH --job-name={batch.name}\n" in Path(batch.directory, "job.sh").read_text()
    world.poll()
    batch.refresh_from_db()
    assert batch.last_seen and batch.absent_polls == 0
    world.render(batch)
    world.finish(batch)
    world.turn()
    world.poll()
    job.refresh_from_db()
    batch.refresh_from_db()
    assert (job.state, batch.state, batch.exit_status) == ("DONE", "FINISHED", 0)
    assert world.log("sbatch") == ["job.sh"] and not world.log("qsub") and not world.log("qstat")


def test_cancelling(world, new_job) -> None:
    job = new_job("1-2")
    world.turn()
    assert requests.cancel(job, "ada")
    world.turn()
    assert world.log("scancel") == ["1"] and not world.log("qdel")
    world.poll()
    assert {batch.state for batch in job.batches.all()} == {"CANCELLED"}


def becomes(world, batch, state: str, reason: str) -> None:
    """The job's row in squeue from now on."""
    (world.site / "jobs" / batch.native_id).write_text(f"{batch.name} {state} / {reason}\n")


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [  # recorded/slurm-24.11.txt, `squeue -t all -h -o '%i|%t|%M|%j|%r|%N'`
        ("NF", "NodeDown", "its node failed (state NF)"),
        ("TO", "TimeLimit", "its walltime was over (state TO)"),
        ("CA", "None", "it was cancelled (state CA)"),
        ("PR", "None", "it was preempted (state PR)"),
    ],
)
def test_ended_batch_without_exit_file_is_believed_at_once(world, new_job, state, reason, told) -> None:
    job = new_job("1-2")
    world.turn()
    (batch,) = job.batches.all()
    compute_client.claim(batch, batch.native_id, "nid00001")
    becomes(world, batch, state, reason)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.state_reason) == ("FINISHED", f"the batch ended without an exit file: {told}")
    assert job.frames.get(number=1).tries == 0 and job.batches.exclude(pk=batch.pk).get().state == "QUEUED"


def test_requeued_batch_is_followed_on(world, new_job, monkeypatch) -> None:
    job = new_job("1-2")
    world.turn()
    (batch,) = job.batches.all()
    compute_client.claim(batch, batch.native_id, "nid00001")
    becomes(world, batch, "PD", "BeginTime")
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "RUNNING" and job.frames.get(number=1).state == "CLAIMED"  # the client was heard just now
    monkeypatch.setattr(tasks.polling, "ALIVE", tasks.polling.timedelta(0))
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "RUNNING" and job.frames.get(number=1).state == "WAITING"
    becomes(world, batch, "R", "None")
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.absent_polls) == ("RUNNING", 0)


@pytest.mark.parametrize(
    ("accounted", "exit_status", "told"),
    [  # recorded/slurm-24.11.txt, `sacct -X -P -D … -j 67,71,72,83,…`; the last: its database lags
        ("TIMEOUT|61|batch|render|login1|0:9", 128 + 9, "its walltime was over (state TIMEOUT, exit status 137)"),
        ("RUNNING|11|batch|render|login1|0:0", None, "its walltime was over (state TO)"),
    ],
)
def test_exit_code_comes_from_the_accounting(
    world, new_job, accounted: str, exit_status: int | None, told: str
) -> None:
    job = new_job("1-2")
    world.turn()
    (batch,) = job.batches.all()
    becomes(world, batch, "TO", "TimeLimit")
    header = "JobIDRaw|State|ElapsedRaw|Partition|User|NodeList|ExitCode|JobName"
    (world.site / "accounts").write_text(f"{header}\n{batch.native_id}|{accounted}|{batch.name}\n")
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.exit_status) == ("FINISHED", exit_status) and told in batch.state_reason


def test_reason_of_a_waiting_batch_is_shown(world, new_job) -> None:
    job = new_job("1-2")
    world.turn()
    (batch,) = job.batches.all()
    for reason, is_stuck in (("Priority", False), ("PartitionTimeLimit", True), ("Resources", False)):
        becomes(world, batch, "PD", reason)
        world.poll()
        batch.refresh_from_db()
        job.refresh_from_db()
        assert batch.state_reason == f"waits: {reason}"
        assert ("never starts by itself: PartitionTimeLimit" in job.state_reason) is is_stuck
    compute_client.claim(batch, batch.native_id, "nid00001")
    batch.refresh_from_db()
    assert (batch.state, batch.state_reason) == ("RUNNING", "")


def test_job_with_a_newline_in_its_name_stops_no_poll(world, new_job) -> None:
    """Somebody works by hand under the service's account (recorded: sbatch -J $'new\\nline')."""
    job = new_job("1-2")
    world.turn()
    (batch,) = job.batches.all()
    (world.site / "jobs/90").write_text("new\\nline PD / None\n")
    world.poll()
    batch.refresh_from_db()
    assert batch.last_seen and not job.events.filter(kind="infrastructure").exists()


def test_repeating_sbatch_is_ended_with_what_it_started(world, new_job, monkeypatch) -> None:
    monkeypatch.setattr(scheduler, "SUBMIT_TIMEOUT", 3)  # time for the stand-in to begin
    repeats = world.site / "sbatch-repeats"
    repeats.touch()
    job = new_job("1-2")
    world.turn()
    job.refresh_from_db()
    assert job.batches.get().state == "CREATED" and "temporarily unable to accept job" in job.state_reason
    left = Path("/proc", repeats.read_text().strip(), "stat")  # nobody may reap it here
    assert not left.exists() or left.read_text().rpartition(")")[2].split()[0] == "Z"
    repeats.unlink()
    tasks.common.pauses.clear()
    world.turn()
    assert job.batches.get().state == "QUEUED"
