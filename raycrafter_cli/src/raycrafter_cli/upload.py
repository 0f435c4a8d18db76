"""Submit a scene: a small file with the job, a large file in resumable chunks."""

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

CHUNK_BYTES = 16 * 1024 * 1024
PAUSE_SECONDS = 0.5  # before the second attempt; doubles with each attempt
MAX_FAILURES = 8  # consecutive failures that end the command


def upload(api: Api, fields: dict[str, Any], file: Path) -> dict[str, Any]:
    """Submit ``file`` as the scene of a job with ``fields``; return the job.

    An idempotency key makes retries safe. Raises CliError.
    """
    show = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    label, key = f"Uploading {clean(file.name)}", uuid.uuid4().hex
    try:
        with progress(*show) as bar:
            if file.stat().st_size <= CHUNK_BYTES:
                with bar.open(file, "rb", description=label) as content:
                    return api.submit(fields, content, file.name, key)
            upload_id = _send_chunks(api, file, bar, bar.add_task(label))
        return api.submit_upload(fields, upload_id, key)
    except OSError as error:
        raise CliError(f"cannot read {file}: {error}") from error


def _send_chunks(api: Api, file: Path, bar: Progress, task: TaskID) -> str:
    """Upload a file, or continue an earlier upload; return the upload's id."""
    size = file.stat().st_size
    bar.update(task, total=size)
    with file.open("rb") as content:
        digest = sha256(content).hexdigest()
        earlier = [row for row in api.uploads() if (row["sha256"], row["size"], row["job"]) == (digest, size, None)]
        current = earlier[0] if earlier else api.create_upload(file.name, size, digest)
        offset, failures = current["offset"], 0
        while offset < size:
            bar.update(task, completed=offset)
            try:
                content.seek(offset)
                api.send_chunk(current["id"], offset, content.read(CHUNK_BYTES))
                failures = 0
            except UnavailableError:
                failures += 1
                if failures == MAX_FAILURES:
                    raise
                threading.Event().wait(min(PAUSE_SECONDS * 2**failures, 30.0))
            offset = api.upload(current["id"])["offset"]
    return current["id"]
