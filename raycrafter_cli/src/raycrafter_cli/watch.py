"""Watch a job until it ends."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from .api import Api, UnavailableError
from .errors import EXIT_FAILED
from .text import clean, job_state, state

FINAL = {"DONE", "FAILED", "CANCELLED"}
TRANSFERRING = {"RUNNING", "VERIFYING"}
MAX_FAILURES = 30  # consecutive failures that end the command
SHOWN_ERRORS = 5


def summary(job: dict[str, Any]) -> str:
    """Return the progress of a job in one line."""
    counts = job["frame_counts"]
    total = sum(counts.values())
    parts = [f"{counts.get('SYNCED', 0)}/{total} frames", f"{job['percent']:.0f} %"]
    running = counts.get("RUNNING", 0) + counts.get("CLAIMED", 0)
    parts += [f"{running} rendering"] if running else []
    parts += [f"{counts['FAILED']} failed"] if counts.get("FAILED") else []
    parts += [f"{job['scene_percent']} % of the scene sent"] if "scene_percent" in job else []
    return ", ".join(parts)


def hold_reason(job: dict[str, Any]) -> str:
    """Return the reason for an unfinished job's hold in one line, or an empty string."""
    return "" if job["state"] in FINAL else clean(job.get("state_reason") or "").replace("\n", " ")


def watch(api: Api, number: int, interval: float, as_json: bool, job: dict[str, Any] | None = None) -> int:
    """Show a job until it ends; return the exit code.

    ``interval`` is in seconds. ``job`` is the current response of the API, if already known.
    """
    show = _json_lines if as_json else _bar if Console().is_terminal else _lines
    get = api.job if as_json else functools.partial(_get, api)
    job = show(lambda: _poll(get, number, interval), job or get(number))
    if as_json:
        return 0 if job["state"] == "DONE" else EXIT_FAILED
    return report_end(api, job)


def report_end(api: Api, job: dict[str, Any]) -> int:
    """Print the end of a job; return the exit code."""
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


def _get(api: Api, number: int, **options: Any) -> dict[str, Any]:
    """Return a job, with ``scene_percent`` during the transfer of its scene."""
    job = api.job(number, **options)
    if job["state"] == "STAGING":
        for transfer in api.transfers(number):
            if transfer["kind"] == "in" and transfer["state"] in TRANSFERRING and transfer["bytes_total"]:
                job["scene_percent"] = 100 * transfer["bytes_done"] // transfer["bytes_total"]
    return job


def _poll(get: Callable[..., dict[str, Any]], number: int, interval: float) -> dict[str, Any]:
    """Wait ``interval`` seconds, then get the job; retry while the server is down."""
    for left in range(MAX_FAILURES - 1, -1, -1):
        threading.Event().wait(interval)
        try:
            return get(number, tries=1)
        except UnavailableError as error:
            if not left:
                raise
            if left == MAX_FAILURES - 1:
                click.echo(f"{error.message.splitlines()[0]}; trying again", err=True)
    raise AssertionError


def _lines(poll: Callable[[], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """Print a line after every change."""
    shown = ""
    while True:
        line = ". ".join(filter(None, (f"job {job['id']} {job_state(job)} {summary(job)}", hold_reason(job))))
        if line != shown:
            shown = line
            click.echo(f"{datetime.now():%H:%M:%S} {line}")
        if job["state"] in FINAL:
            return job
        job = poll()


def _json_lines(poll: Callable[[], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """Print the job as a line of JSON after every change."""
    shown: dict[str, Any] = {}
    while True:
        if job != shown:
            shown = job
            click.echo(json.dumps(job))
        if job["state"] in FINAL:
            return job
        job = poll()


class _Progress(Progress):
    """A progress bar with a line below it for the reason of a hold."""

    note = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bar and the note."""
        yield from super().get_renderables()
        if self.note:
            yield Text(self.note, style="yellow")


def _bar(poll: Callable[[], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """Draw a progress bar; running frames count by their percentage."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[summary]}", markup=False),
        TimeElapsedColumn(),
    )
    with _Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=100.0, summary="")
        while True:
            label, progress.note = f"job {job['id']} {click.unstyle(job_state(job))}", hold_reason(job)
            progress.update(task, description=label, completed=job["percent"], summary=summary(job))
            if job["state"] in FINAL:
                return job
            job = poll()
