"""Jobs from end to end against the stand-ins: the good way, and every way in which the cluster disappoints."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from raycrafter.cluster.batch.spec import parse_walltime
from raycrafter.jobs import compute_client, requests
from raycrafter.jobs.errors import RefusedError
from raycrafter.jobs.models import Attempt, Batch, Site, Transfer, Workspace
from raycrafter.tasks import timeouts

from raycrafter import dispatch, tasks

PARSE_ERROR = (
    "File 'ball.pov' line 1: Parse Error: No matching } in 'sphere', undeclared identifier 'pigmnt' found instead"
)

both_ways = pytest.mark.parametrize("cluster", ["gridftp", "ssh"], indirect=True)  # by which files can go


def counts(job) -> dict[str, int]:
    """States of frames that there are."""
    return {state: n for state, n in job.frame_counts().items() if n}


def queued(job) -> list[Batch]:
    """Batches that the batch system has."""
    return list(job.batches.filter(state="QUEUED").order_by("pk"))


def events(job, kind: str) -> list[str]:
    return list(job.events.filter(kind=kind).values_list("message", flat=True))


@pytest.fixture
def staged(world, new_job):
    """A job whose batches are queued."""

    def make(*arguments, **fields):
        job = new_job(*arguments, **fields)
        world.turn()
        job.refresh_from_db()
        return job

    return make


@both_ways
def test_from_new_to_done(world, new_job, cluster) -> None:
    job = new_job("1-5")
    world.turn()
    job.refresh_from_db()
    assert job.state == "READY"
    row = job.workspace
    assert row.state == "ALLOCATED" and row.expires > timezone.now() + timedelta(days=6) and row.extensions_left == 3
    assert Path(row.path, "input/ball.pov").read_bytes() == b"sphere { 0, 1 }"
    assert job.transfers.get().state == "DONE"
    first, second = queued(job)
    assert [frame.number for frame in first.frames.all()] == [1, 2, 3]
    assert [frame.number for frame in second.frames.all()] == [4, 5]

    assert world.render(first, frames=2) == [1, 2]
    world.turn()
    job.refresh_from_db()
    assert job.state == "ACTIVE"
    # Frames arrive while the batch still runs.
    assert counts(job) == {"SYNCED": 2, "WAITING": 3}
    frame = job.frames.get(number=2)
    assert frame.file.name == f"jobs/{job.pk}/frames/my-ball_0002.png"
    assert default_storage.open(frame.file.name).read() == b"frame 2"

    world.render(first)
    world.render(second)
    world.finish(first)
    world.finish(second)
    world.turn()
    job.refresh_from_db()
    assert (job.state, counts(job), job.percent()) == ("DONE", {"SYNCED": 5}, 100.0)
    assert job.finished and not job.state_reason
    row.refresh_from_db()
    assert row.state == "ALLOCATED"  # a batch may still write into it

    world.poll()
    assert {batch.state for batch in job.batches.all()} == {"FINISHED"}
    assert {batch.exit_status for batch in job.batches.all()} == {0}
    row.refresh_from_db()
    assert row.state == "RELEASED" and not Path(row.path).exists()
    assert len(world.log("qsub")) == 2 and not list(world.scratch.glob("transfer-*"))


def test_batch_gets_script_and_client_settings(staged, settings) -> None:
    batch = queued(staged("1-3"))[0]
    directory = Path(batch.directory)
    script, told = (directory / "job.sh").read_text(), json.loads((directory / "client.json").read_text())
    assert f"#PBS -N {batch.name}" in script and f"--config {directory}/client.json" in script
    assert (directory / "client.json").stat().st_mode & 0o777 == 0o600
    assert Batch.hash_token(told.pop("token")) == batch.token_hash
    assert told == {
        "url": settings.RAYCRAFTER.django.public_url,
        "ca_file": "/lustre/sw/raycrafter/tls/ca.crt",
        "batch": batch.pk,
        "job": batch.job_id,
        "native_id_env": ["PBS_JOBID", "SLURM_JOB_ID"],
        "spool_dir": f"{directory}/spool",
        "walltime_seconds": parse_walltime("01:00:00"),
        "walltime_end_margin": 60,
        "heartbeat_seconds": 10,
    }


def test_a_tick_and_repeated_messages_change_nothing(world, staged) -> None:
    job = staged("1-5")
    before = (list(Batch.objects.values()), list(Transfer.objects.values()), world.log("qsub"), world.log("gridftp"))
    for batch in job.batches.all():
        tasks.submit_batch(batch.pk)
    tasks.ensure_workspace(job.workspace.pk)
    tasks.push_input(job.transfers.get().pk)
    tasks.release_workspace(job.workspace.pk)
    world.turn()
    world.turn()
    after = (list(Batch.objects.values()), list(Transfer.objects.values()), world.log("qsub"), world.log("gridftp"))
    assert after == before


def test_every_route_and_tick_names_a_task(world) -> None:
    from raycrafter.celery import app

    ticks = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert set(app.conf.task_routes) | ticks <= set(app.tasks)
    queues = {
        name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks if name.startswith("raycrafter.")
    }
    expected = dict.fromkeys(["plan", "check_timeouts", "measure_queues", "check_proxy"], "default")
    expected |= dict.fromkeys(["notify_holds", "apply_retention", "send_notification", "send_notifications"], "default")
    expected |= dict.fromkeys(["push_input", "pull_output"], "transfer")
    assert queues == {name: expected.get(name.rpartition(".")[2], "ssh") for name in queues}


def test_tasks_of_rows_that_are_gone_do_nothing(world) -> None:
    for task in (tasks.submit_batch, tasks.cancel_batch, tasks.push_input, tasks.pull_output):
        task(12345)
    tasks.ensure_workspace(12345)
    tasks.release_workspace(12345)
    tasks.plan()
    tasks.check_timeouts()
    tasks.poll_cluster()
    assert not world.log("ssh")


# -- the way to the cluster is closed ---------------------------------------------------------------------------------


def test_missing_ssh_holds_the_job_and_is_recorded_once(world, new_job) -> None:
    (world.site / "ssh-down").touch()
    job = new_job("1-3")
    for _ in range(3):
        world.turn()
    job.refresh_from_db()
    assert job.state == "STAGING"
    assert job.state_reason.startswith("Waiting: workspace: ssh to cluster: ") and "refused" in job.state_reason
    assert len(events(job, "infrastructure")) == 1
    (world.site / "ssh-down").unlink()
    tasks.common.remote.cache_clear()
    world.turn()
    job.refresh_from_db()
    assert (job.state, job.state_reason) == ("READY", "")


def test_a_workspace_that_is_refused_pauses(world, new_job) -> None:
    (world.site / "ws-refuses").write_text("Error: you have too many workspaces")
    job = new_job("1-3")
    world.turn()
    job.refresh_from_db()
    assert job.state == "STAGING" and "too many workspaces" in job.state_reason


def test_an_expired_proxy_blocks_and_says_what_to_do(world, new_job, monkeypatch) -> None:
    from raycrafter.cluster import gridftp

    monkeypatch.setattr(gridftp, "MIN_LIFETIME", 10**9)
    job = new_job("1-3")
    world.turn()
    transfer = job.transfers.get()
    assert (transfer.state, transfer.error_class) == ("BLOCKED", "credential")
    job.refresh_from_db()
    assert job.state == "STAGING" and "raycrafter-grid-proxy.service" in job.state_reason
    monkeypatch.setattr(gridftp, "MIN_LIFETIME", 60)
    world.turn()
    transfer.refresh_from_db()
    assert transfer.state == "BLOCKED"  # not before the pause is over
    Transfer.objects.update(next_try=timezone.now())
    world.turn()
    job.refresh_from_db()
    assert (job.state, job.state_reason) == ("READY", "")


def test_a_broken_transfer_is_tried_again(world, new_job) -> None:
    (world.site / "gridftp-says").write_text("error: an end-of-file was reached")
    job = new_job("1-3")
    world.turn()
    transfer = job.transfers.get()
    assert (transfer.state, transfer.error_class, transfer.tries) == ("RETRY", "network", 1)
    assert transfer.next_try > timezone.now()
    (world.site / "gridftp-says").unlink()
    Transfer.objects.update(next_try=timezone.now())
    world.turn()
    transfer.refresh_from_db()
    assert (transfer.state, transfer.bytes_done) == ("DONE", 15)


# -- submitting -------------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_not_a_second_submission(world, new_job) -> None:
    (world.site / "ssh-loses-reply-to").write_text("qsub job.sh")
    job = new_job("1-3")
    world.turn()
    (batch,) = job.batches.all()
    assert (batch.state, batch.native_id) == ("SUBMIT_UNKNOWN", None)
    tasks.common.remote.cache_clear()
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.native_id) == ("QUEUED", "1")
    assert len(world.log("qsub")) == 1


def test_a_client_that_claims_before_the_answer_is_known(world, new_job) -> None:
    (world.site / "ssh-loses-reply-to").write_text("qsub job.sh")
    job = new_job("1-3")
    world.turn()
    (batch,) = job.batches.all()
    assert compute_client.claim(batch, "1", "nid1").number == 1
    tasks.common.remote.cache_clear()
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "RUNNING"
    assert len(world.log("qsub")) == 1


def test_a_worker_that_died_before_qsub_leaves_nothing_behind(world, staged) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    world.forget_job(batch)
    shutil.rmtree(batch.directory)
    Batch.objects.update(state="SUBMITTING", native_id=None)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.native_id) == ("QUEUED", "2")
    assert Path(batch.directory, "client.json").is_file()


def test_a_shell_killed_in_qsub_is_looked_for_by_name_and_then_lost(world, staged) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    for name in ("jobid", "submit.rc"):
        Path(batch.directory, name).unlink()
    Batch.objects.update(state="SUBMIT_UNKNOWN", native_id=None)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.native_id) == ("QUEUED", "1")

    Batch.objects.update(state="SUBMIT_UNKNOWN", native_id=None)
    world.forget_job(batch)
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "SUBMIT_UNKNOWN"
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "LOST"
    assert job.batches.exclude(pk=batch.pk).get().state == "QUEUED"


def test_a_refusal_fails_the_job_with_the_batch_systems_words(world, new_job) -> None:
    (world.site / "qsub-says").write_text("1\nsbatch: error: Batch job submission failed: Invalid partition name\n")
    job = new_job("1-3")
    world.turn()
    world.turn()
    job.refresh_from_db()
    assert job.state == "FAILED" and "Invalid partition name" in job.state_reason
    assert counts(job) == {"FAILED": 3} and len(world.log("qsub")) == 1


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("1\nsbatch: error: QOSMaxSubmitJobPerUserLimit\n", "QOSMaxSubmitJobPerUserLimit"),
        ("127\nsh: 1: perl: not found\n", "perl: not found (qsub was not run: it must be on PATH"),
    ],
)
def test_refusal_for_another_reason_is_a_pause(world, new_job, says, told) -> None:
    (world.site / "qsub-says").write_text(says)
    job = new_job("1-3")
    world.turn()
    world.turn()
    job.refresh_from_db()
    (batch,) = job.batches.all()
    assert (job.state, batch.state) == ("READY", "CREATED")
    assert told in job.state_reason and len(world.log("qsub")) == 1
    assert "cluster: the batch system takes no job now" in job.state_reason
    (world.site / "qsub-says").unlink()
    tasks.common.pauses.clear()
    world.turn()
    job.refresh_from_db()
    batch.refresh_from_db()
    assert (batch.state, batch.native_id, job.state_reason) == ("QUEUED", "2", "")


def test_a_paused_site_submits_nothing_but_scenes_go_and_frames_come(world, staged, new_job, cluster) -> None:
    """The batch was dealt out before, when the batch system was busy for instance."""
    rendered = staged("1-3")
    world.render(*queued(rendered))
    late = Batch.objects.create(job=rendered, site=cluster.name, walltime_seconds=3600)
    rendered.frames.filter(number=3).update(batch=late, state="WAITING")
    Site.objects.filter(name=cluster.name).update(paused=True)
    scene = new_job("1-3")
    world.turn()
    scene.refresh_from_db()
    late.refresh_from_db()
    assert (late.state, len(world.log("qsub"))) == ("CREATED", 1)
    assert (scene.state, counts(rendered)) == ("READY", {"SYNCED": 2, "WAITING": 1})
    Site.objects.filter(name=cluster.name).update(paused=False)
    world.turn()
    late.refresh_from_db()
    assert late.state == "QUEUED"


@pytest.mark.parametrize(("extensions", "state"), [(1, "QUEUED"), (0, "CANCELLED")])
def test_a_workspace_that_ends_before_the_batch_is_extended_or_refused(world, staged, extensions, state) -> None:
    job = staged("1-3")
    (first,) = queued(job)
    (world.site / "leases" / job.workspace_name).write_text(f"0 days 0 hours {extensions}")
    Workspace.objects.update(expires=timezone.now() + timedelta(minutes=30))
    batch = Batch.objects.create(job=job, site="x", walltime_seconds=3600)
    first.frames.update(batch=batch)
    world.turn()
    world.turn()
    batch.refresh_from_db()
    job.refresh_from_db()
    assert batch.state == state
    if state == "CANCELLED":
        assert job.state == "FAILED" and "expires before a batch could end" in job.state_reason
    else:
        assert job.workspace.expires > timezone.now() + timedelta(days=1)


# -- following --------------------------------------------------------------------------------------------------------


def test_all_batches_are_polled_by_one_command(world, staged, cluster) -> None:
    Site.objects.create(name=cluster.name, max_batches=4)
    staged("1-5")
    staged("1-5")
    world.poll()
    assert len(world.log("qstat")) == 1
    tasks.poll_cluster()
    assert len(world.log("qstat")) == 1  # a second tick within the interval
    assert Batch.objects.filter(last_seen__isnull=False, absent_polls=0).count() == 4


@pytest.mark.parametrize("says", ["1\nProblem loading jobs.", "153\nslurm_load_jobs error", "0\n<html>", "0\n"])
def test_a_failed_poll_changes_nothing(world, staged, says) -> None:
    job = staged("1-3")
    (world.site / "qstat-says").write_text(says)
    for _ in range(4):
        world.poll()
    (batch,) = job.batches.all()
    assert (batch.state, batch.absent_polls, batch.last_seen) == ("QUEUED", 0, None)
    job.refresh_from_db()
    assert job.state_reason.startswith("Waiting: batch system: qstat ended with")
    (world.site / "qstat-says").unlink()
    world.poll()
    job.refresh_from_db()
    assert job.state_reason == ""


@pytest.mark.parametrize("at", ["line", "name"])
def test_a_warning_within_a_batchs_line_changes_nothing(world, staged, at) -> None:
    """qstat's errors come with its list, before a line or within one."""
    job = staged("1-3")
    (batch,) = queued(job)
    row = f"{batch.native_id:<19} {batch.name:<16} {'render':<15} 00:00:00 Q workq\n"
    cut = 0 if at == "line" else row.index(batch.name) + 4
    rule = "------------------- ---------------- --------------- -------- - ---------------\n"
    header = f"{'Job id':<19} {'Name':<16} {'Username':<15} Time Use S Queue\n"
    (world.site / "qstat-says").write_text(f"0\n{header}{rule}{row[:cut]}qstat: slow\n{row[cut:]}")
    for _ in range(4):
        world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.absent_polls) == ("QUEUED", 0)


def test_a_batch_that_vanishes_is_lost_and_its_frames_are_rendered_again(world, staged) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    world.render(batch, frames=1)
    compute_client.claim(batch, batch.native_client_id, "nid00001")
    world.forget_job(batch)
    world.poll()
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "RUNNING"  # its client was heard of a moment ago
    Batch.objects.update(last_heartbeat=timezone.now() - timedelta(minutes=5))
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "LOST" and batch.state_reason
    assert Attempt.objects.get(frame__number=2).outcome == "lost"
    frame = job.frames.get(number=2)
    assert (frame.state, frame.tries) == ("WAITING", 1)
    (second,) = queued(job)
    assert world.render(second) == [2, 3]
    with pytest.raises(RefusedError):
        compute_client.claim(batch, batch.native_client_id, "nid00001")
    world.turn()
    job.refresh_from_db()
    assert (job.state, counts(job)) == ("DONE", {"SYNCED": 3})


def test_absence_once_is_not_absence(world, staged) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    kept = (world.site / "jobs" / batch.native_id).read_text()
    world.forget_job(batch)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.absent_polls) == ("QUEUED", 1)
    (world.site / "jobs" / batch.native_id).write_text(kept)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.absent_polls) == ("QUEUED", 0)


def test_another_job_under_the_same_number_is_not_ours(world, staged) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    (world.site / "jobs" / batch.native_id).write_text("somebody R /elsewhere")
    world.poll()
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "LOST"


def test_a_client_killed_without_a_word_gives_its_frame_back(world, staged) -> None:
    """The batch ended with an exit code, while the client had a frame."""
    job = staged("1-3")
    (batch,) = queued(job)
    compute_client.claim(batch, batch.native_id, "nid1")
    Path(batch.directory, "exit").write_text(f"{batch.native_id} 137\n")
    world.forget_job(batch)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.exit_status) == ("FINISHED", 137)
    assert job.frames.get(number=1).tries == 1 and len(queued(job)) == 1


def test_batches_that_never_begin_end_the_job_with_their_output(world, staged) -> None:
    job = staged("1-3")
    for _ in range(3):
        (batch,) = queued(job)
        Path(batch.directory, "exit").write_text(f"{batch.native_id} 127\n")
        Path(batch.directory, "job.sh.o1").write_text("python: No such file or directory\n")
        world.forget_job(batch)
        world.poll()
    world.turn()
    job.refresh_from_db()
    assert job.state == "FAILED"
    assert "exit 127" in job.state_reason and "No such file or directory" in job.state_reason


@pytest.fixture
def heard(world, cluster) -> None:
    """The clients could be heard all the time."""
    long_ago, now = timezone.now() - timedelta(hours=1), timezone.now()
    Site.objects.update_or_create(name=cluster.name, defaults={"heard_since": long_ago, "timeouts_checked": now})


def test_client_that_times_out_loses_its_batch(world, staged, heard) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    compute_client.claim(batch, batch.native_id, "nid1")
    Batch.objects.update(last_heartbeat=timezone.now() - timedelta(hours=1))
    tasks.check_timeouts()
    world.turn()
    batch.refresh_from_db()
    assert batch.state == "CANCELLING" and world.log("qdel") == [batch.native_id]
    frame = job.frames.get(number=1)
    assert (frame.state, frame.tries, frame.attempts.get().outcome) == ("WAITING", 0, "lost")
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "CANCELLED"


def test_overdue_checks_after_an_outage_time_no_client_out(world, staged, heard) -> None:
    """Beat sends the look at the clients before the first of them is heard again."""
    batch = queued(staged("1-3"))[0]
    compute_client.claim(batch, batch.native_id, "nid1")
    hour = timedelta(hours=1)
    Batch.objects.update(last_heartbeat=timezone.now() - hour)
    Site.objects.update(timeouts_checked=timezone.now() - hour, heard_since=timezone.now() - 2 * hour)
    for _ in range(2):
        tasks.check_timeouts()
        batch.refresh_from_db()
        assert batch.state == "RUNNING"
    Site.objects.update(heard_since=timezone.now() - timeouts.TIMEOUT - timedelta(seconds=1))
    tasks.check_timeouts()
    batch.refresh_from_db()
    assert batch.state == "CANCELLING"


def test_unreachable_clients_do_not_time_out(world, staged, heard) -> None:
    """The web host is away, or the network before it, while the workers go on."""
    batches = queued(staged("1-5"))
    for batch in batches:
        compute_client.claim(batch, batch.native_id, f"nid{batch.pk}")
    Batch.objects.update(last_heartbeat=timezone.now() - timedelta(hours=1))
    tasks.check_timeouts()
    Batch.objects.filter(pk=batches[0].pk).update(last_heartbeat=timezone.now())
    tasks.check_timeouts()  # the first is back, the second has its time
    assert not Batch.objects.exclude(state="RUNNING").exists()
    Site.objects.update(heard_since=timezone.now() - timeouts.TIMEOUT - timedelta(seconds=1))
    tasks.check_timeouts()
    assert [Batch.objects.get(pk=batch.pk).state for batch in batches] == ["RUNNING", "CANCELLING"]


# -- failures and cancelling ------------------------------------------------------------------------------------------


def test_a_scene_that_does_not_parse_fails_at_once_in_its_own_words(world, staged) -> None:
    job = staged("1-9")
    first = queued(job)[0]
    assert world.render(first, frames=1, outcome="failed", returncode=1, error=PARSE_ERROR, files=[]) == [1]
    world.turn()
    job.refresh_from_db()
    assert job.state == "FAILED" and PARSE_ERROR in job.state_reason
    assert job.frames.get(number=1).error == PARSE_ERROR
    assert counts(job) == {"FAILED": 1, "CANCELLED": 8}
    assert Attempt.objects.count() == 1
    assert world.log("qdel")  # the other batch has nothing to do


def test_another_failure_is_tried_again_up_to_the_limit(world, staged) -> None:
    job = staged("1-3")
    for attempt in range(3):
        (batch,) = job.batches.exclude(state__in=["FINISHED", "LOST", "CANCELLED"])
        world.render(batch, frames=1, outcome="failed", returncode=1, error=f"out of memory {attempt}", files=[])
        world.finish(batch, 1)
        world.turn()
        world.poll()
    frame = job.frames.get(number=1)
    assert (frame.state, frame.tries, frame.error) == ("FAILED", 3, "out of memory 2")
    (batch,) = job.batches.exclude(state__in=["FINISHED", "LOST", "CANCELLED"])
    world.render(batch)
    world.turn()
    job.refresh_from_db()
    assert (job.state, counts(job)) == ("FAILED", {"FAILED": 1, "SYNCED": 2})
    assert job.state_reason == "1 of 3 frames failed; frame 1: out of memory 2"


@both_ways
def test_a_frame_that_arrives_wrong_is_fetched_again_then_rendered_again(cluster, world, staged) -> None:
    job = staged("1-2")
    (batch,) = queued(job)
    world.render(batch)
    final = Path(job.workspace.path, "frames/my-ball_0002.png")
    final.write_bytes(b"frame ?")
    world.turn()
    transfer = job.transfers.get(kind="out")
    assert transfer.state == "RETRY" and "frames 2" in transfer.state_reason
    assert counts(job) == {"SYNCED": 1, "RENDERED": 1}
    assert not default_storage.exists(f"jobs/{job.pk}/frames/my-ball_0002.png")
    for _ in range(2):
        Transfer.objects.update(next_try=timezone.now())
        world.turn()
    frame = job.frames.get(number=2)
    assert (frame.state, frame.tries) == ("WAITING", 1)
    (second,) = queued(job)
    assert world.render(second) == [2]
    world.turn()
    job.refresh_from_db()
    assert (job.state, counts(job)) == ("DONE", {"SYNCED": 2})


@both_ways
def test_a_frame_whose_file_is_missing_does_not_hold_up_the_others(cluster, world, staged) -> None:
    job = staged("1-3")
    (batch,) = queued(job)
    world.render(batch)
    Path(job.workspace.path, "frames/my-ball_0001.png").unlink()
    world.turn()
    assert counts(job) == {"SYNCED": 2, "RENDERED": 1}


def test_a_worker_killed_while_storing_does_not_leave_two_files(world, staged) -> None:
    from django.core.files.base import ContentFile

    job = staged("1")
    (batch,) = queued(job)
    default_storage.save(f"jobs/{job.pk}/frames/my-ball_0001.png", ContentFile(b"half"))
    world.render(batch)
    world.turn()
    assert job.frames.get().file.name == f"jobs/{job.pk}/frames/my-ball_0001.png"
    assert default_storage.open(job.frames.get().file.name).read() == b"frame 1"


def test_cancelling(world, staged) -> None:
    job = staged("1-5")
    first, second = queued(job)
    world.render(first, frames=1)
    job.refresh_from_db()
    assert requests.cancel(job, "ada")
    with pytest.raises(RefusedError) as caught:
        compute_client.claim(second, "2", "nid2")
    assert caught.value.status == 410
    world.turn()
    assert sorted(world.log("qdel")) == ["1", "2"]
    job.refresh_from_db()
    assert job.state == "CANCELLING"
    world.poll()
    job.refresh_from_db()
    assert (job.state, counts(job)) == ("CANCELLED", {"CANCELLED": 5})
    assert {batch.state for batch in job.batches.all()} == {"CANCELLED"}
    assert job.workspace.state == "RELEASED"


def test_cancelling_while_the_cluster_cannot_be_reached_waits(world, staged) -> None:
    job = staged("1-3")
    (world.site / "ssh-down").touch()
    requests.cancel(job, "ada")
    world.turn()
    world.poll()
    job.refresh_from_db()
    assert (job.state, job.batches.get().state) == ("CANCELLING", "CANCELLING")
    (world.site / "ssh-down").unlink()
    tasks.common.remote.cache_clear()
    tasks.common.pauses.clear()
    world.turn()
    world.poll()
    job.refresh_from_db()
    assert job.state == "CANCELLED" and world.log("qdel") == ["1"]


def test_a_transfer_whose_worker_died_is_taken_up_again(world, staged) -> None:
    job = staged("1-2")
    world.render(queued(job)[0])
    Transfer.objects.create(job=job, kind="out", state="RUNNING", started=timezone.now() - timedelta(hours=2), tries=1)
    world.turn()
    assert counts(job) == {"RENDERED": 2}
    tasks.check_timeouts()
    world.turn()
    world.turn()
    assert counts(job) == {"SYNCED": 2}


def test_broken_job_does_not_hold_the_next(world, new_job, caplog) -> None:
    broken, good = new_job("1"), new_job("1")
    Workspace.objects.create(job=broken, site="x", name="x", state="ALLOCATED")
    type(broken).objects.filter(pk=broken.pk).update(state="STAGING")  # without its transfer: cannot be
    world.turn()
    good.refresh_from_db()
    assert good.state == "READY"
    assert f"job {broken.pk} could not be planned" in caplog.text


# -- nudge ------------------------------------------------------------------------------------------------------------


def test_nudge_sends_after_the_transaction(world) -> None:
    from django.db import transaction

    with transaction.atomic():
        dispatch.nudge()
        assert world.messages == []
    assert world.messages == [("raycrafter.tasks.plan", ())]


def test_nudge_survives_a_broker_that_is_down(world, monkeypatch, caplog) -> None:
    def refuse(*arguments, **options):
        raise ConnectionRefusedError("no broker")

    monkeypatch.setattr(dispatch.app, "send_task", refuse)
    dispatch.nudge()
    assert "the broker did not take plan" in caplog.text
