"""Checks of options: a function for each returns the value, or says why not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .base import OptionError


def validated(options: Mapping[str, Any], known: Mapping[str, Callable[[object], Any]], title: str) -> dict[str, Any]:
    """Return the options, each checked by its function in ``known``.

    Raises OptionError naming the first that is wrong.
    """
    valid: dict[str, Any] = {}
    for field, value in options.items():
        if field not in known:
            raise OptionError(f"options.{field}", f"is unknown; {title} jobs have {', '.join(known)}")
        try:
            valid[field] = known[field](value)
        except ValueError as error:
            raise OptionError(f"options.{field}", str(error)) from error
    return valid


def number(value: object, low: float, high: float) -> float:
    """Return a finite number. Raises ValueError."""
    # bool is an int in Python; a JSON true is no number.
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"a number, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"a number from {low:g} to {high:g}, got {value!r}")
    return float(value)


def whole(value: object, low: int, high: int) -> int:
    """Return a whole number. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"a whole number from {low} to {high}, got {value!r}")
    return value


def flag(value: object) -> bool:
    """Return true or false. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"true or false, got {value!r}")
    return value
