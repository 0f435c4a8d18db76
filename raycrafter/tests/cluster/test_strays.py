"""Jobs in the batch system under our names that no batch waits for, and batches cancelled without an id."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from raycrafter.jobs import compute_client, outcomes, requests
from raycrafter.jobs.models import Batch
from raycrafter.tasks import polling


@pytest.fixture
def batch(world, new_job) -> Batch:
    job = new_job("1-3")
    world.turn()
    return job.batches.get()


def test_lost_batch_that_is_listed_again_is_deleted(world, batch) -> None:
    shown = world.site / "jobs" / batch.native_id
    line = shown.read_text()
    world.forget_job(batch)
    world.poll()
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "LOST"
    shown.write_text(line)
    world.poll()
    assert world.log("qdel") == [batch.native_id] and not shown.exists()
    assert batch.job.events.filter(kind="stray").count() == 1


def test_a_second_job_of_a_batch_is_deleted_and_the_first_stays(world, batch) -> None:
    (world.site / "jobs/99").write_text(f"{batch.name} Q {batch.directory}")
    world.poll()
    assert world.log("qdel") == ["99"] and (world.site / "jobs" / batch.native_id).exists()


def test_other_peoples_jobs_are_left_alone(world, batch) -> None:
    (world.site / "jobs/99").write_text("rcnotours1234567 Q /elsewhere")
    world.poll()
    assert world.log("qdel") == []


def test_strays_are_looked_for_when_nothing_is_open_but_not_for_ever(world, batch) -> None:
    requests.cancel(batch.job, "ada")
    world.forget_job(batch)
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "CANCELLED"
    asked = len(world.log("qstat"))
    world.poll()
    assert len(world.log("qstat")) == asked + 1
    Batch.objects.update(finished=timezone.now() - timedelta(hours=2))
    world.poll()
    assert len(world.log("qstat")) == asked + 1


def test_a_batch_cancelled_before_its_id_is_known_is_deleted_by_its_name(world, batch) -> None:
    """qsub's shell was killed, so no file tells the id."""
    for name in ("jobid", "submit.rc"):
        Path(batch.directory, name).unlink()
    Batch.objects.update(state="SUBMIT_UNKNOWN", native_id=None)
    requests.cancel(batch.job, "ada")
    world.turn()
    assert world.log("qdel") == []
    from raycrafter.tasks import common

    common.pauses.clear()
    world.poll()
    assert world.log("qdel") == ["1"]
    world.poll()
    batch.job.refresh_from_db()
    assert batch.job.state == "CANCELLED"


def leaves(batch: Batch, text: str) -> None:
    """A script that ends in the batch's directory."""
    Path(batch.directory, "exit").write_text(f"{text}\n")


def test_the_exit_code_of_a_second_job_does_not_end_the_batch(world, batch) -> None:
    compute_client.claim(batch, "0:1.server", "nid1")
    leaves(batch, "99.server 0")
    world.forget_job(batch)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.job.frames.get(number=1).state) == ("RUNNING", "CLAIMED")
    leaves(batch, "1.server 3")
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.exit_status) == ("FINISHED", 3)


def test_the_job_that_claimed_is_the_batchs_whichever_was_answered(world, batch) -> None:
    """The batch system took the submission twice, and the one that it did not tell of began first."""
    assert batch.native_id == "1"
    (world.site / "jobs/2").write_text(f"{batch.name} R {batch.directory}")
    compute_client.claim(batch, "2", "nid1")
    leaves(batch, "1 0")
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, world.log("qdel")) == ("RUNNING", ["1"])
    requests.cancel(batch.job, "ada")
    world.turn()
    assert world.log("qdel") == ["1", "2"]


@pytest.mark.parametrize("code", ["256", "9" * 30, "-1", "x", ""])
def test_an_exit_code_that_no_shell_has_says_nothing(world, batch, code: str) -> None:
    leaves(batch, f"1 {code}")
    world.forget_job(batch)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.absent_polls) == ("QUEUED", 1)
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "LOST"


def test_a_batch_that_cannot_be_settled_holds_up_no_other(world, new_job, batch, monkeypatch, caplog) -> None:
    other = new_job("1")
    world.turn()
    for one in (batch, other.batches.get()):
        leaves(one, f"{one.native_id} 0")
        world.forget_job(one)
    ended = polling._ended
    monkeypatch.setattr(polling, "_ended", lambda one, code: ended(one, code) if one.pk != batch.pk else 1 / 0)
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, other.batches.get(exit_status=0).state) == ("QUEUED", "FINISHED")
    assert f"batch {batch.pk} could not be settled" in caplog.text


@pytest.mark.parametrize(("module", "name"), [(polling, "_output"), (outcomes, "release")])
def test_a_batch_cancelled_while_its_end_is_noted_is_settled_by_the_next_poll(
    world, batch, monkeypatch, caplog, module, name: str
) -> None:
    leaves(batch, "1 0")
    world.forget_job(batch)
    real = getattr(module, name)

    def cancelled_first(*arguments, **fields):
        requests.cancel(batch.job, "ada")
        return real(*arguments, **fields)

    monkeypatch.setattr(module, name, cancelled_first)
    world.poll()
    batch.refresh_from_db()
    assert batch.state == "CANCELLING"
    world.poll()
    batch.job.refresh_from_db()
    assert batch.job.state == "CANCELLED" and "could not be settled" not in caplog.text


def test_a_batch_claimed_while_its_end_is_noted_has_not_ended(world, batch, monkeypatch) -> None:
    leaves(batch, "1 0")
    world.forget_job(batch)
    monkeypatch.setattr(polling, "_output", lambda one: compute_client.claim(Batch.objects.get(pk=one.pk), "2", "nid1"))
    world.poll()
    batch.refresh_from_db()
    assert (batch.state, batch.job.frames.get(number=1).state) == ("RUNNING", "CLAIMED")
