"""Deletion by age, a bit at a tick."""

from __future__ import annotations

from raycrafter.celery import app
from raycrafter.jobs import deletion


@app.task(name="raycrafter.tasks.apply_retention")
def apply_retention() -> None:
    """Delete what is old, in one bounded run."""
    deletion.run()
