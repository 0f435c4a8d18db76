"""Checks that the sections share. Each raises SettingError."""

from __future__ import annotations

from collections.abc import Collection

from .errors import SettingError


def check_choice(value: str, key: str, allowed: Collection[str]) -> None:
    """Refuse a value that is not in ``allowed``."""
    if value not in allowed:
        raise SettingError(key, f"{value!r} is unknown", "use one of " + ", ".join(allowed))


def check_at_least(value: int, key: str, least: int) -> None:
    """Refuse a number below ``least``."""
    if value < least:
        raise SettingError(key, f"{value} is too small", f"use {least} or more")


def check_together(section: str, values: dict[str, str]) -> None:
    """Refuse some of the keys without the others, as a certificate without its key."""
    missing = [key for key, value in values.items() if not value]
    if missing and len(missing) != len(values):
        raise SettingError(
            f"{section}.{missing[0]}", "is missing", f"set {', '.join(values)} together, or none of them"
        )
