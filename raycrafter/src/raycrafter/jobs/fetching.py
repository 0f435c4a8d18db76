"""Which rendered frames are fetched next, and when a transfer is due."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.utils import timezone

from raycrafter.dispatch import enqueue

from .models import Frame, Job, Transfer, frame_path
from .states import FrameState, TransferState

STARTABLE = (TransferState.PENDING, TransferState.RETRY, TransferState.BLOCKED)
MAX_FRAMES = 50  # frames in one transfer, so that the first are seen early


def due(transfer: Transfer) -> bool:
    """Whether a transfer can start or continue now."""
    return transfer.state in STARTABLE and (transfer.next_try is None or transfer.next_try <= timezone.now())


def collect(job: Job) -> None:
    """Fetch the frames that are rendered by now, in one transfer of a job at a time."""
    transfer = job.transfers.filter(kind=Transfer.Kind.OUT).exclude(
        state__in=[TransferState.DONE, TransferState.FAILED]
    )
    transfer = transfer.exclude(state=TransferState.CANCELLED).first()
    if transfer is None:
        frames = job.frames.filter(state=FrameState.RENDERED).order_by("number")[:MAX_FRAMES]
        manifest = [entry for frame in frames for entry in _entries(frame)]
        if not manifest:
            return
        total = sum(entry["size"] for entry in manifest)
        transfer = Transfer.objects.create(job=job, kind=Transfer.Kind.OUT, manifest=manifest, bytes_total=total)
    if due(transfer):
        enqueue("pull_output", transfer.pk)


def _entries(frame: Frame) -> list[dict[str, Any]]:
    """Return the manifest of a frame: what the client reported, and where it goes."""
    return [
        {
            "frame": frame.number,
            "source": output["path"],
            "target": frame_path(frame, PurePosixPath(output["path"]).name),
            "size": output["size"],
            "sha256": output["sha256"],
        }
        for output in frame.outputs
    ]
