"""A site with Slurm's own commands and none of Torque's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from raycrafter.jobs import requests


@pytest.fixture
def cluster(cluster, settings):
    """The site's configuration."""
    config = dataclasses.replace(cluster, dialect="slurm", answers="slurm", launcher="srun")
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
