"""The planner's tick."""

from __future__ import annotations

from raycrafter.celery import app
from raycrafter.jobs import planner


@app.task(name="raycrafter.tasks.plan")
def plan() -> None:
    """Plan the next step of every open job."""
    planner.plan()
