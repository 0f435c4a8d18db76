"""Full status as text: ``qstat -f`` of Torque, PBS Pro and Slurm's wrapper."""

from __future__ import annotations

import re

from .reply import AnswerError, Attributes


def folded(text: str) -> list[Attributes]:
    """``qstat -f`` of Torque and PBS Pro, ``-f -1`` too: four blanks and ``key = value``, continued after a tab.

    A line of another shape belongs to the value before it, which had a newline."""
    return _blocks(text.replace("\n\t", ""), re.compile(r" {4}([A-Za-z_][\w.]*) = ?(.*)"))


def wrapper(text: str) -> list[Attributes]:
    """``qstat -f`` of Slurm's wrapper: a tab and ``key = value``, never folded."""
    return _blocks(text, re.compile(r"\t([A-Za-z_][\w.]*) = ?(.*)"))


def _blocks(text: str, attribute: re.Pattern[str]) -> list[Attributes]:
    if not text.endswith("\n"):
        raise AnswerError(f"the full status is cut short: {text[-120:]!r}")
    parts = re.split(r"^Job Id:[ \t]*(.*)\n", text, flags=re.MULTILINE)
    jobs = []
    for native_id, body in zip(parts[1::2], parts[2::2]):  # noqa: B905 -- strict= came with Python 3.10
        found = [match.groups() for line in body.split("\n") if (match := attribute.fullmatch(line))]
        jobs.append(Attributes(native_id, found))
    return jobs
