"""Errors in the configuration: each names file, key, problem and fix."""

from __future__ import annotations

from pathlib import Path


class ConfigError(Exception):
    """Something in the configuration file is missing or wrong."""

    def __init__(self, path: str | Path, key: str, problem: str, fix: str) -> None:
        self.path, self.key, self.problem, self.fix = str(path), key, problem, fix
        super().__init__(f"{path}: {key}: {problem}. Fix: {fix}")


class SettingError(Exception):
    """A problem with one key; becomes a ConfigError once the file is known."""

    def __init__(self, key: str, problem: str, fix: str) -> None:
        super().__init__(key, problem, fix)
