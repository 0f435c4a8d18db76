"""Transfers to and from the cluster: the interface, and what its adapters share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .batch import process
from .errors import TransferError

KINDS = ("gridftp", "ssh")
TIME_LIMIT = 1500.0  # seconds for one run; a longer transfer goes on in the next one, where this one stopped
TICK = 10.0  # seconds between two looks at how far a run has come

_FAILURES = (
    # 530 is FTP's answer to an unknown user
    ("credential", r"credential|proxy|certificate|GSS|authenticat|authoriz|gridmap|\b530[ -]"),
    ("quota", r"quota|No space left"),
    ("permission", r"Permission denied"),
    ("missing", r"No such file|does not exist|not found on (the )?server"),
)


@dataclass(frozen=True)
class Files:
    """Files below a directory here and below one on the cluster (absolute), under the same relative names."""

    here: Path
    there: str
    names: Sequence[str]


class Adapter(Protocol):
    """Copies files, and goes on where an earlier call with the same ``state`` stopped.

    ``state`` is a local directory of this transfer's own. ``tick`` is called every TICK seconds while the copy runs.
    A copy is complete when it is said to be; whether it is right, the caller finds out by checksums.
    Raises InfrastructureError; of it TransferError when not everything was copied.
    """

    def push(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """Sends files, making directories as needed."""

    def pull(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """Fetches files; goes on with the others when one is missing, then raises."""


def run(words: Sequence[str], tick: Callable[[], None], env: Mapping[str, str] | None = None) -> None:
    """Runs a copying program to its end. Raises TransferError, sorted by the program's own words."""
    try:
        result = process.run(words, timeout=TIME_LIMIT, env=env, tick=tick, every=TICK)
    except process.LimitError as error:
        raise TransferError("network", str(error)) from error
    except OSError as error:
        raise TransferError("network", f"{words[0]} cannot be started: {error.strerror}") from error
    if result.code != 0:
        text = " ".join((result.stderr or result.stdout).split())
        # Without paths: a frame may be called proxy.png.
        said = re.sub(r"\S*/\S*", "", text)
        kind = next((kind for kind, pattern in _FAILURES if re.search(pattern, said, re.IGNORECASE)), "network")
        raise TransferError(kind, text[:500] or f"{words[0]} ended with {result.code}")
