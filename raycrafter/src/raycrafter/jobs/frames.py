"""Frame specifications: ``1-20``, ``7``, ``1-100x2,150`` (from-to, every n-th)."""

from __future__ import annotations

import re

MAX_FRAMES = 100_000
MAX_NUMBER = 999_999
MAX_LENGTH = 500  # characters

_ITEM = re.compile(r"(?P<first>[0-9]+)(?:-(?P<last>[0-9]+)(?:x(?P<step>[0-9]+))?)?", re.ASCII)


class FramesError(ValueError):
    """The text is no frame specification that could be rendered."""


def parse(text: str) -> list[int]:
    """Return the frame numbers, ascending, each once. Raises FramesError."""
    compact = "".join(text.split())
    if not compact:
        raise FramesError("name at least one frame, like 1-20")
    if len(compact) > MAX_LENGTH:
        raise FramesError(f"is longer than {MAX_LENGTH} characters")
    ranges = [_range(item) for item in compact.split(",")]
    # counted before anything is expanded
    if sum(len(numbers) for numbers in ranges) > MAX_FRAMES:
        raise FramesError(f"names more than {MAX_FRAMES} frames")
    return sorted({number for numbers in ranges for number in numbers})


def compact(text: str) -> str:
    """Return a specification without blanks."""
    return "".join(text.split())


def _range(item: str) -> range:
    """Return the numbers of one item between commas."""
    match = _ITEM.fullmatch(item)
    if not match:
        hint = "frame numbers are not negative" if item.startswith("-") else "write numbers like 7, 1-20 or 1-100x2"
        raise FramesError(f"{item[:40]!r} is not understood: {hint}")
    if any(len(part) > len(str(MAX_NUMBER)) for part in match.groups() if part):
        raise FramesError(f"{item[:40]!r} names a frame above {MAX_NUMBER}")
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else first
    step = int(match["step"]) if match["step"] else 1
    if last < first:
        raise FramesError(f"{item!r} runs backwards: write {last}-{first}")
    if step < 1:
        raise FramesError(f"{item!r} has a step of 0: use 1 or more")
    return range(first, last + 1, step)
