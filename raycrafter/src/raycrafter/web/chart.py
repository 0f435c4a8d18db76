"""Seconds per frame as bars of an inline SVG, without a script."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Max, Min, Q

from raycrafter.jobs.models import Job
from raycrafter.jobs.states import FrameState

BARS = 100  # at most; beyond that one bar stands for several frames
LEAST_BARS = 24  # a job of three frames does not get bars as wide as a thumb
STEP = 10  # units of the drawing from one bar to the next
HEIGHT = 100  # units of the drawing
STEPS = (1, 2, 4, 5, 6, 8, 10, 20)  # where a scale may end, times a power of ten


@dataclass(frozen=True)
class Bar:
    """One bar, in units of the drawing (y downwards), and its text."""

    x: int
    y: float
    height: float
    failed: int
    text: str


@dataclass(frozen=True)
class Chart:
    """All bars; ``longest``, ``mean`` and ``top`` in seconds, ``timed`` in frames."""

    bars: list[Bar]
    width: int
    first: int
    last: int
    longest: float
    mean: float
    timed: int
    top: float
    failed: int

    @property
    def half(self) -> float:
        """The middle of the scale."""
        return self.top / 2


def frame_times(job: Job) -> Chart | None:
    """Return the chart of a job's rendering times; None before the first frame.

    Two queries, at most ``BARS`` rows.
    """
    span = job.frames.aggregate(first=Min("number"), last=Max("number"))
    if span["first"] is None:
        return None
    each = math.ceil((span["last"] - span["first"] + 1) / BARS)
    rows = list(
        job.frames.filter(Q(seconds__isnull=False) | Q(state=FrameState.FAILED))
        .order_by()
        .annotate(bar=(F("number") - span["first"]) / each)
        .values("bar")
        .annotate(mean=Avg("seconds"), longest=Max("seconds"), timed=Count("seconds"))
        .annotate(failed=Count("pk", filter=Q(state=FrameState.FAILED)))
        .order_by("bar")
    )
    timed = sum(row["timed"] for row in rows)
    if not timed:
        return None
    top = _round_up(max(row["mean"] or 0.0 for row in rows))
    return Chart(
        bars=[_bar(row, span["first"], each, top) for row in rows],
        width=STEP * max(LEAST_BARS, math.ceil((span["last"] - span["first"] + 1) / each)),
        longest=max(row["longest"] or 0.0 for row in rows),
        mean=sum((row["mean"] or 0.0) * row["timed"] for row in rows) / timed,
        timed=timed,
        top=top,
        failed=sum(row["failed"] for row in rows),
        **span,
    )


def _round_up(seconds: float) -> float:
    """Return the end of a scale: a number that is easily halved."""
    power = 10 ** math.floor(math.log10(seconds)) if seconds > 0 else 1.0
    return next(step * power for step in STEPS if step * power >= seconds)


def _bar(row: dict, first: int, each: int, top: float) -> Bar:
    start = first + row["bar"] * each
    height = round(max(1.0, HEIGHT * row["mean"] / top), 1) if row["timed"] else 0.0
    words = []
    if row["timed"]:
        words.append(f"{row['mean']:.1f} s")
        if each > 1:
            words = [f"{row['mean']:.1f} s on average, {row['longest']:.1f} s at most"]
    if row["failed"]:
        words.append(f"{row['failed']} failed" if each > 1 else "failed")
    name = f"Frames {start} to {start + each - 1}" if each > 1 else f"Frame {start}"
    y = round(HEIGHT - height, 1)
    return Bar(x=row["bar"] * STEP, y=y, height=height, failed=row["failed"], text=f"{name}: {', '.join(words)}")
