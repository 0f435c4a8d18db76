"""Print the events of a job."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import click

from .api import Api
from .common import JOB, api_of, interval
from .text import clean, local_time
from .watch import FINAL

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


@click.command()
@click.argument("job", type=JOB)
@click.option("-f", "--follow", is_flag=True, help="Print new events until the job ends.")
@click.option("--level", type=click.Choice(list(LEVELS), case_sensitive=False), help="Lowest level to print.")
@interval
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@click.pass_context
def logs(context: click.Context, job: int, follow: bool, level: str | None, interval: float, as_json: bool) -> None:
    """Print the events of JOB, oldest first."""
    for event in _events(api_of(context), job, LEVELS[level] if level else None, interval if follow else None):
        click.echo(json.dumps(event) if as_json else _line(event))


def _events(api: Api, job: int, level: int | None, interval: float | None) -> Iterator[dict[str, Any]]:
    """Yield a job's events; with an ``interval`` (seconds) until the job ends."""
    last = 0
    while True:
        # Read the state before the events, so that the last events are printed.
        over = interval is None or api.job(job)["state"] in FINAL
        for event in api.events(job, last, level):
            last = event["id"]
            yield event
        if over:
            return
        threading.Event().wait(interval)


def _line(event: dict[str, Any]) -> str:
    frame = f" frame {event['frame']}:" if event["frame"] is not None else ""
    message = clean(event["message"] or event["kind"]).replace("\n", " ")
    return f"{local_time(event['time'])} {clean(event['level']):7}{frame} {message}"
