"""What the commands share."""

from __future__ import annotations

import hashlib
import json
import math
import os
from typing import Any, BinaryIO

import click
import httpx
from rich.console import Console
from rich.progress import Progress, ProgressColumn

from . import settings
from .api import Api

BLOCK = 1024 * 1024  # bytes
JOB = click.IntRange(min=1)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _number(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """Refuse what is no number: it is neither below nor above a range."""
    if math.isnan(value):
        raise click.BadParameter("that is no number of seconds")
    return value


interval = click.option(
    "--interval",
    default=2.0,
    type=click.FloatRange(0.01, 3600),
    callback=_number,
    show_default=True,
    help="Seconds between looks.",
)


def api_of(context: click.Context) -> Api:
    """Return the API of whom the settings name; tests hand a transport in as the context's object."""
    transport: httpx.BaseTransport | None = context.obj
    return Api(settings.load(os.environ), transport)


def print_json(data: Any) -> None:
    """Print an answer for other programs."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=True))


def sha256(file: BinaryIO) -> hashlib._Hash:
    """Return the digest of what is left of a file; more can be added to it."""
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest


def progress(*show: ProgressColumn) -> Progress:
    """Return a bar on standard error, so that standard output stays fit for other programs."""
    console = Console(stderr=True)
    return Progress(*show, console=console, transient=True, disable=not console.is_terminal)
