"""Provide options and helpers that several commands use."""

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

as_json = click.option("--json", "as_json", is_flag=True, help="Print the server's response as JSON.")


def _number(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """Refuse NaN, which passes the check of a range."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number of seconds")
    return value


interval = click.option(
    "--interval",
    default=2.0,
    type=click.FloatRange(0.01, 3600),
    callback=_number,
    show_default=True,
    help="Seconds between two requests.",
)


def api_of(context: click.Context) -> Api:
    """Return the API of the saved settings; tests pass a transport as ``context.obj``."""
    transport: httpx.BaseTransport | None = context.obj
    return Api(settings.load(os.environ), transport)


def print_json(data: Any) -> None:
    """Print data as JSON for other programs."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=True))


def sha256(file: BinaryIO) -> hashlib._Hash:
    """Return the digest of the rest of a file; callers may add more bytes."""
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest


def progress(*show: ProgressColumn) -> Progress:
    """Return a progress bar on standard error; standard output is for programs."""
    console = Console(stderr=True)
    return Progress(*show, console=console, transient=True, disable=not console.is_terminal)
