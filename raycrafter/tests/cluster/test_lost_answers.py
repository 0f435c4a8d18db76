"""What was asked of the cluster may have been done although its answer was lost; several clients may share a batch."""

from __future__ import annotations

import dataclasses

import pytest
from raycrafter.jobs import compute_client, requests
from raycrafter.jobs.models import Batch

from raycrafter import tasks


def test_a_workspace_of_which_nothing_is_known_is_given_back(world, new_job) -> None:
    (world.site / "ssh-loses-reply-to").write_text("ws_allocate")
    job = new_job("1-3")
    world.turn()
    assert job.workspace.state == "PENDING" and list((world.site / "leases").iterdir())
    requests.cancel(job, "ada")
    tasks.common.remote.cache_clear()
    world.turn()
    job.refresh_from_db()
    job.workspace.refresh_from_db()
    assert (job.state, job.workspace.state) == ("CANCELLED", "RELEASED")
    assert not list((world.site / "leases").iterdir())


def test_a_refusal_whose_clearing_got_no_answer_is_not_a_second_submission(world, new_job) -> None:
    (world.site / "qsub-says").write_text("1\nsbatch: error: QOSMaxSubmitJobPerUserLimit\n")
    (world.site / "ssh-loses-reply-to").write_text("rmdir submit.lock")
    job = new_job("1-3")
    world.turn()
    assert job.batches.get().state == "SUBMIT_UNKNOWN"
    (world.site / "qsub-says").unlink()
    tasks.common.remote.cache_clear()
    world.poll()
    batch = job.batches.get()
    assert batch.state == "QUEUED" and len(list((world.site / "jobs").iterdir())) == 1


def test_submissions_without_an_answer_are_not_batches_that_came_to_nothing(world, new_job) -> None:
    job = new_job("1-3")
    for _ in range(4):
        Batch.objects.create(job=job, site="x", state="LOST", walltime_seconds=60)
    world.turn()
    job.refresh_from_db()
    assert job.batches.filter(state="QUEUED").count() == 1


@pytest.mark.parametrize("nodes", [1, 2])
def test_the_last_of_several_clients_ends_the_batch(world, cluster, settings, new_job, nodes: int) -> None:
    config = dataclasses.replace(cluster, nodes=nodes, launcher="aprun")
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=config)
    job = new_job("1")
    world.turn()
    batch = Batch.objects.select_related("job").get()
    work = compute_client.claim(batch, "1", "nid1")
    assert work and compute_client.claim(batch, "1", "nid2") is None
    compute_client.finish(batch, "1", "nothing left")
    batch.refresh_from_db()
    # of two clients the other renders on; one alone has left its frame behind
    assert (batch.state, job.frames.get().state) == {1: ("ENDING", "WAITING"), 2: ("RUNNING", "CLAIMED")}[nodes]
