"""The service with a cluster in memory and a clock of the test's own."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from fault_chance import Chance, Clock
from fault_cluster import Cluster, Copies, Login
from fault_run import Run
from raycrafter.cluster.batch.registry import SCHEDULERS


@pytest.fixture
def new_run(transactional_db: None, settings: Any, tmp_path: Path, monkeypatch: Any) -> Iterator[Callable[..., Run]]:
    """Makes the run of a seed, with all faults or with some alone."""
    from raycrafter.celery import app
    from raycrafter.jobs import outcomes, planner
    from raycrafter.tasks import common, polling

    def make(seed: int, *only: str) -> Run:
        chance, clock = Chance(seed, only), Clock()
        walltime = chance.random.choice((3600, 300))
        scheduler = chance.random.choice(("torque", "pbspro", "slurm_torque", "slurm"))
        config = dataclasses.replace(
            settings.RAYCRAFTER.cluster,
            scratch=str(tmp_path / "scratch"),
            scheduler=scheduler,
            dialect=SCHEDULERS[scheduler].dialects[0],
            launcher="aprun",
            nodes=chance.random.choice((1, 1, 2)),
            walltime=f"00:{walltime // 60}:00" if walltime < 3600 else "01:00:00",
            walltime_margin=60,
            chunk_size=chance.random.randint(1, 4),
            max_batches=chance.random.randint(1, 3),
        )
        settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=config)
        cluster = Cluster(chance, clock, config.scheduler)
        made = Run(chance, clock, cluster, config.nodes, walltime)
        monkeypatch.setattr("django.utils.timezone.now", clock.now)
        monkeypatch.setattr(common, "time", clock)
        monkeypatch.setattr(polling, "time", clock)
        # the runs lose more batches than any site
        monkeypatch.setattr(planner, "MAX_STILLBORN", 60)
        monkeypatch.setattr(outcomes, "MAX_INTERRUPTIONS", 60)
        monkeypatch.setattr(Login, "cluster", cluster, raising=False)
        monkeypatch.setattr(common, "Remote", Login)
        monkeypatch.setattr(common, "GridFtp", lambda *_: Copies(cluster))
        monkeypatch.setattr(app, "send_task", made.send)
        monkeypatch.setattr(FileSystemStorage, "_save", _failing(FileSystemStorage._save, made))
        return made

    app.loader.import_default_modules()
    _forget(common)
    app.conf.task_always_eager = False
    logging.disable()  # a tenth of the time would go into lines that nobody reads
    yield make
    logging.disable(logging.NOTSET)
    app.conf.task_always_eager = True
    _forget(common)


def _forget(common: Any) -> None:
    common.remote.cache_clear()
    common.scheduler.cache_clear()
    common.pauses.clear()


def _failing(save: Callable[..., str], run: Run) -> Callable[..., str]:
    def wrapper(storage: FileSystemStorage, name: str, content: Any) -> str:
        if "/frames/" in name and run.chance.strikes("storage away"):
            raise OSError("the media host does not answer")
        return save(storage, name, content)

    return wrapper
