"""Allow one run at a time by a lock file, which the kernel releases."""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY = 0.2  # seconds between two tries


class LockError(Exception):
    """A lock that was not acquired.

    ``held``: another run holds it; else the file system has no locks."""

    def __init__(self, message: str, held: bool) -> None:
        super().__init__(message)
        self.held = held


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock file ``path``; wait at most ``timeout`` seconds for it.

    The file is created if missing and stays. Raises LockError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LockError(_no_lock(path, error), held=False) from None
    try:
        _take(handle, path, time.monotonic() + timeout, timeout)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, end: float, timeout: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise LockError(
                    f"another run holds {path} on {platform.node()} for more than {timeout:g} s; wait for its end, or "
                    f"find its process with: fuser {path}",
                    held=True,
                ) from None
        except OSError as error:
            raise LockError(_no_lock(path, error), held=False) from None
        time.sleep(RETRY)


def _no_lock(path: Path, error: OSError) -> str:
    return (
        f"no lock {path} on {platform.node()}: {error.strerror or error}; make the home directory writable for this "
        "user, on a file system that has locks"
    )
