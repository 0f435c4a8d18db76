"""One run at a time: a lock file that the kernel lets go when the run that holds it ends, however it ends."""

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
    """The lock was not had: ``held`` says whether another run has it, or else the file system gives none."""

    def __init__(self, message: str, held: bool) -> None:
        super().__init__(message)
        self.held = held


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Holds the lock ``path``, a file that is made where it is missing and stays. Waits at most ``timeout`` seconds.

    Raises LockError."""
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
                    f"end it: fuser {path} tells its process",
                    held=True,
                ) from None
        except OSError as error:
            raise LockError(_no_lock(path, error), held=False) from None
        time.sleep(RETRY)


def _no_lock(path: Path, error: OSError) -> str:
    return (
        f"no lock {path} on {platform.node()}: {error.strerror or error}; the home directory must be this user's to "
        "write to, on a file system that has locks"
    )
