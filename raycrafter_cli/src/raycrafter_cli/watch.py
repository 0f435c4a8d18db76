"""Follows a job to its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .api import Api, UnavailableError
from .errors import EXIT_FAILED
from .text import clean, state

FINAL = {"DONE", "FAILED", "CANCELLED"}
# How often in a row the server may be away before watching ends.
PATIENCE = 30
SHOWN_ERRORS = 5


def summary(job: dict[str, Any]) -> str:
    """Return how the frames are, in one line."""
    counts = job["frame_counts"]
    total = sum(counts.values())
    parts = [f"{counts.get('SYNCED', 0)}/{total} frames", f"{job['percent']:.0f} %"]
    running = counts.get("RUNNING", 0) + counts.get("CLAIMED", 0)
    parts += [f"{running} rendering"] if running else []
    parts += [f"{counts['FAILED']} failed"] if counts.get("FAILED") else []
    return ", ".join(parts)


def watch(api: Api, number: int, interval: float, as_json: bool = False) -> int:
    """Show a job until it ends; return the exit code. ``interval`` in seconds."""
    show = _json_lines if as_json else _bar if Console().is_terminal else _lines
    job = show(lambda: _poll(api, number, interval), api.job(number))
    if as_json:
        return 0 if job["state"] == "DONE" else EXIT_FAILED
    return report_end(api, job)


def report_end(api: Api, job: dict[str, Any]) -> int:
    """Say how a job ended; return the exit code."""
    click.echo(f"Job {job['id']} is {state(job['state'])}: {summary(job)}")
    if job["state"] == "DONE":
        return 0
    if job.get("state_reason"):
        click.echo(clean(job["state_reason"]))
    failed = list(api.frames(job["id"], state="FAILED"))
    for frame in failed[:SHOWN_ERRORS]:
        click.echo(f"  frame {frame['number']}: {clean(frame['error'])}")
    if len(failed) > SHOWN_ERRORS:
        click.echo(f"  and {len(failed) - SHOWN_ERRORS} more")
    return EXIT_FAILED


def _poll(api: Api, number: int, interval: float) -> dict[str, Any]:
    """Wait, then ask. A server that is away for a while ends nothing."""
    for left in range(PATIENCE - 1, -1, -1):
        threading.Event().wait(interval)
        try:
            return api.job(number, tries=1)
        except UnavailableError as error:
            if not left:
                raise
            if left == PATIENCE - 1:
                click.echo(f"{error.message}; trying again", err=True)
    raise AssertionError


def _lines(poll: Callable[[], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """One line whenever something has changed."""
    shown = ""
    while True:
        line = f"job {job['id']} {clean(job['state'])} {summary(job)}"
        if line != shown:
            shown = line
            click.echo(f"{datetime.now():%H:%M:%S} {line}")
        if job["state"] in FINAL:
            return job
        job = poll()


def _json_lines(poll: Callable[[], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """The whole job as a line of JSON whenever anything of it has changed."""
    shown: dict[str, Any] = {}
    while True:
        if job != shown:
            shown = job
            click.echo(json.dumps(job))
        if job["state"] in FINAL:
            return job
        job = poll()


def _bar(poll: Callable[[], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """A bar over the frames; frames in work count by their share."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[summary]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=100.0, summary="")
        while True:
            label = f"job {job['id']} {clean(job['state'])}"
            progress.update(task, description=label, completed=job["percent"], summary=summary(job))
            if job["state"] in FINAL:
                return job
            job = poll()
