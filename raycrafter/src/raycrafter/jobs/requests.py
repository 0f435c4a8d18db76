"""What users may do: submit a job, cancel one."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from raycrafter.tasks import nudge

from .models import Attempt, Event, Frame, Job
from .states import BatchState, FrameState, JobState, TransferState, move, move_all

logger = logging.getLogger(__name__)

ROWS = 2000  # frames per INSERT


def scene_digest(upload: UploadedFile) -> str:
    """Return the sha256 of an uploaded scene."""
    digest = hashlib.sha256()
    upload.seek(0)
    for chunk in upload.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def submit(
    owner: AbstractBaseUser, upload: UploadedFile, filename: str, main: str, numbers: list[int], **fields: Any
) -> Job:
    """Store a job with its scene and its frames; ``fields`` are the other columns, checked by the caller."""
    job = Job(
        owner=owner,
        main=main,
        scene_size=upload.size,
        scene_sha256=scene_digest(upload),
        frame_count=len(numbers),
        **fields,
    )
    try:
        with transaction.atomic():
            job.save()
            upload.seek(0)
            job.scene.save(filename, upload, save=True)
            Frame.objects.bulk_create((Frame(job=job, number=number) for number in numbers), batch_size=ROWS)
            Event.note(job, "submitted", f"{len(numbers)} frames by {owner.get_username()}")
    except BaseException:
        # the row is rolled back, the file is not
        if job.scene.name:
            job.scene.storage.delete(job.scene.name)
        raise
    nudge()
    logger.info("job %d: %d frames", job.pk, len(numbers), extra={"job_id": job.pk, "user": owner.get_username()})
    return job


def cancel(job: Job, by: str) -> bool:
    """Cancel a job: nothing is started any more, clients are told to stop, batches are deleted by the workers.

    Returns False when the job was over or being cancelled already.
    """
    if job.is_final or job.state == JobState.CANCELLING:
        return False
    with transaction.atomic():
        if not move(job, JobState.CANCELLING, state_reason=f"cancelled by {by}"):
            return False
        move_all(job.frames.all(), FrameState.CANCELLED, job)
        Attempt.objects.filter(frame__job=job, ended__isnull=True).update(
            ended=timezone.now(), outcome=Attempt.Outcome.CANCELLED
        )
        move_all(job.batches.filter(state=BatchState.CREATED), BatchState.CANCELLED, job, finished=timezone.now())
        move_all(job.batches.all(), BatchState.CANCELLING, job)
        move_all(job.transfers.all(), TransferState.CANCELLED, job, finished=timezone.now())
    nudge()
    return True
