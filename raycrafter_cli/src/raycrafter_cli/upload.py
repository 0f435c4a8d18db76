"""Sends a scene: a small one with the job, a large one in pieces, so that what has arrived stays."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from .api import Api, UnavailableError
from .common import progress, sha256
from .errors import CliError
from .text import clean

PIECE = 16 * 1024 * 1024  # bytes
PAUSE_SECONDS = 0.5  # before the second try; doubles
# How often in a row the server may take nothing before the command ends.
PATIENCE = 8


def upload(api: Api, fields: dict[str, Any], file: Path) -> dict[str, Any]:
    """Return the job that was made of ``file``. Repeats are harmless: the server makes one job of it."""
    show = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    label, key = f"Uploading {clean(file.name)}", uuid.uuid4().hex
    try:
        with progress(*show) as bar:
            if file.stat().st_size <= PIECE:
                with bar.open(file, "rb", description=label) as content:
                    return api.submit(fields, content, file.name, key)
            whole = _in_pieces(api, file, bar, bar.add_task(label))
        return api.submit_upload(fields, whole, key)
    except OSError as error:
        raise CliError(f"cannot read {file}: {error}") from error


def _in_pieces(api: Api, file: Path, bar: Progress, task: TaskID) -> str:
    """Return the id of an upload that is whole; goes on with one of an earlier run when there is one."""
    size = file.stat().st_size
    bar.update(task, total=size)
    with file.open("rb") as content:
        digest = sha256(content).hexdigest()
        there = [row for row in api.uploads() if (row["sha256"], row["size"], row["job"]) == (digest, size, None)]
        found = there[0] if there else api.new_upload(file.name, size, digest)
        offset, failures = found["offset"], 0
        while offset < size:
            bar.update(task, completed=offset)
            try:
                content.seek(offset)
                api.send_piece(found["id"], offset, content.read(PIECE))
                failures = 0
            except UnavailableError:
                failures += 1
                if failures == PATIENCE:
                    raise
                threading.Event().wait(min(PAUSE_SECONDS * 2**failures, 30.0))
            offset = api.upload(found["id"])["offset"]
    return found["id"]
