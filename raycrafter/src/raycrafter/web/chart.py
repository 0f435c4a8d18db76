"""Seconds per frame as the bars of an inline SVG: drawn by the database and a template, without a script."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Max, Min

from raycrafter.jobs.models import Job

BARS = 100  # at most; beyond that one bar stands for several frames
LEAST_BARS = 24  # a job of three frames does not get bars as wide as a thumb
STEP = 10  # units of the drawing from one bar to the next
HEIGHT = 100  # units of the drawing


@dataclass(frozen=True)
class Bar:
    """One bar, in units of the drawing (y downwards), and its words."""

    x: int
    y: float
    height: float
    text: str


@dataclass(frozen=True)
class Chart:
    """All bars; ``longest`` and ``mean`` in seconds, ``timed`` frames have a time."""

    bars: list[Bar]
    width: int
    first: int
    last: int
    longest: float
    mean: float
    timed: int


def frame_times(job: Job) -> Chart | None:
    """Return the chart of a job's rendering times, None before the first frame. Two queries, at most ``BARS`` rows."""
    span = job.frames.aggregate(first=Min("number"), last=Max("number"))
    if span["first"] is None:
        return None
    each = math.ceil((span["last"] - span["first"] + 1) / BARS)
    rows = list(
        job.frames.filter(seconds__isnull=False)
        .order_by()
        .annotate(bar=(F("number") - span["first"]) / each)
        .values("bar")
        .annotate(mean=Avg("seconds"), longest=Max("seconds"), timed=Count("pk"))
        .order_by("bar")
    )
    if not rows:
        return None
    top = max(row["mean"] for row in rows) or 1.0
    timed = sum(row["timed"] for row in rows)
    return Chart(
        bars=[_bar(row, span["first"], each, top) for row in rows],
        width=STEP * max(LEAST_BARS, math.ceil((span["last"] - span["first"] + 1) / each)),
        longest=max(row["longest"] for row in rows),
        mean=sum(row["mean"] * row["timed"] for row in rows) / timed,
        timed=timed,
        **span,
    )


def _bar(row: dict, first: int, each: int, top: float) -> Bar:
    start = first + row["bar"] * each
    height = round(max(1.0, HEIGHT * row["mean"] / top), 1)
    words = f"Frame {start}: {row['mean']:.1f} s"
    if each > 1:
        words = f"Frames {start} to {start + each - 1}: {row['mean']:.1f} s on average, {row['longest']:.1f} s at most"
    return Bar(x=row["bar"] * STEP, y=round(HEIGHT - height, 1), height=height, text=words)
