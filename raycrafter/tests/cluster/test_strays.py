"""Jobs in the batch system under our names that no batch waits for, and batches cancelled without an id."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from raycrafter.jobs import requests
from raycrafter.jobs.models import Batch


@pytest.fixture
def batch(world, new_job) -> Batch:
    job = new_job("1-3")
    world.turn()
    return job.batches.get()


def test_a_batch_given_up_that_turns_up_again_is_deleted(world, batch) -> None:
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
