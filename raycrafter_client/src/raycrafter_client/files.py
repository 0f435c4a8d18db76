"""Prepare and publish the files of a frame.

The renderer writes to work files. After the checks they are renamed to the final names.
"""

import hashlib
import os
import tempfile
from typing import Any, Dict, List, NamedTuple

BLOCK_BYTES = 1024 * 1024


class ExpectedFile(NamedTuple):
    """Absolute paths of a file: ``work`` while it is written, ``final`` when complete."""

    work: str
    final: str


class OutputError(Exception):
    """An expected file is missing, empty or stale; the text names the file."""


def prepare(files: List[ExpectedFile]) -> int:
    """Create the directories, remove stale work files, and return the current time.

    The time is the file system's, in nanoseconds: a file server's clock may differ from the host's. Raises OSError.
    """
    stamp = 0
    for file in files:
        for directory in (os.path.dirname(file.work), os.path.dirname(file.final)):
            os.makedirs(directory, exist_ok=True)
        if os.path.lexists(file.work):
            # A resumed render reads the renderer's state file, never the work file.
            os.remove(file.work)
        handle, path = tempfile.mkstemp(prefix=".start-", dir=os.path.dirname(file.work))
        try:
            stamp = max(stamp, os.fstat(handle).st_mtime_ns)
        finally:
            os.close(handle)
            os.remove(path)
    return stamp


def publish(files: List[ExpectedFile], stamp: int) -> List[Dict[str, Any]]:
    """Check every work file, then rename all of them.

    Return a manifest [{path, size in bytes, sha256}]. Raises OutputError and OSError.
    """
    for file in files:
        _check(file.work, stamp)
    manifest = []
    for file in files:
        manifest.append({"path": file.final, "size": os.path.getsize(file.work), "sha256": _sha256(file.work)})
        os.replace(file.work, file.final)
        _sync_directory(os.path.dirname(file.final))
    return manifest


def _check(path: str, stamp: int) -> None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise OutputError("the renderer did not write {}".format(path)) from None
    if status.st_size == 0:
        raise OutputError("the renderer left {} empty".format(path))
    if status.st_mtime_ns < stamp:
        raise OutputError("{} is older than this render".format(path))


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            digest.update(block)
        os.fsync(file.fileno())
    return digest.hexdigest()


def _sync_directory(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
