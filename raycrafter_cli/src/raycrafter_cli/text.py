"""Format text for terminals."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

COLOURS = {"DONE": "green", "ACTIVE": "cyan", "STAGING_OUT": "cyan", "FAILED": "red", "CANCELLED": "yellow"}


def clean(text: Any) -> str:
    """Replace control characters, with which the server could control the terminal."""
    return "".join(char if char == "\n" or unicodedata.category(char)[0] != "C" else "?" for char in str(text))


def state(name: str) -> str:
    """Return a state in its colour, which click removes outside of terminals."""
    return click.style(clean(name), fg=COLOURS.get(name))


def job_state(job: dict[str, Any]) -> str:
    """Return a job's state, with a note if the job is paused."""
    return state(job["state"]) + (", paused" if job.get("paused") else "")


def local_time(value: str | None) -> str:
    """Return an ISO 8601 time as local time to the second, or a dash."""
    if not value:
        return "-"
    return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    rows = list(rows)
    widths = [max(len(click.unstyle(row[column])) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        padded = (cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(padded).rstrip())
    return lines
