"""Requests of users: submit, pause, resume, cancel, retry, extend, keep."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils import timezone

from raycrafter.dispatch import nudge

from . import uploads
from .errors import RefusedError
from .models import Attempt, Event, Frame, Job, Share, Site, Transfer, Upload, Workspace
from .states import JOB_FINAL, BatchState, FrameState, JobState, TransferState, WorkspaceState
from .transitions import reopen, transition, transition_all

logger = logging.getLogger(__name__)

Actor = Event.Actor

ROWS = 2000  # frames per INSERT
UNFINISHED = (FrameState.WAITING, FrameState.CLAIMED, FrameState.RUNNING, FrameState.SOFT_FAILED)
# Jobs whose frames can still be rendered: failed ones may be asked for again.
RETRYABLE = (JobState.STAGING, JobState.READY, JobState.ACTIVE, JobState.STAGING_OUT, JobState.FAILED)


class LimitError(RefusedError):
    """A user has as many frames waiting or in work as the site allows."""

    def __init__(self, limit: int, present: int) -> None:
        super().__init__(
            409, f"you may have {limit} frames waiting or in work, {present} are; wait for them, or cancel a job"
        )


def scene_digest(upload: UploadedFile) -> str:
    """Return the sha256 of an uploaded scene."""
    digest = hashlib.sha256()
    upload.seek(0)
    for chunk in upload.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def submit(
    owner: AbstractBaseUser,
    upload: UploadedFile,
    filename: str,
    main: str,
    numbers: list[int],
    after: Sequence[Job] = (),
    source: Upload | None = None,
    **fields: Any,
) -> Job:
    """Store a job with its scene and its frames.

    ``fields`` are the other columns, checked by the caller. ``after`` are jobs that must be DONE before this one
    begins; ``source`` is the upload that the scene came as. Raises LimitError, and RefusedError when another job was
    made of the upload meanwhile.
    """
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
            _check_limit(owner, len(numbers))
            job.save()
            if source and not uploads.claim(source, job):
                raise RefusedError(409, "another job was made of this upload meanwhile")
            job.after.set(after)
            upload.seek(0)
            job.scene.save(filename, upload, save=True)
            Frame.objects.bulk_create((Frame(job=job, number=number) for number in numbers), batch_size=ROWS)
            Event.note(job, "submitted", f"{len(numbers)} frames by {owner.get_username()}", actor=Actor.USER)
    except BaseException:
        # the row is rolled back, the file is not
        if job.scene.name:
            job.scene.storage.delete(job.scene.name)
        raise
    nudge()
    if source:
        uploads.delete_pieces(source)
    uploads.sweep()
    logger.info("job %d: %d frames", job.pk, len(numbers), extra={"job_id": job.pk, "user": owner.get_username()})
    return job


def _check_limit(owner: AbstractBaseUser, new: int) -> None:
    """Compare with the user's quota, in the transaction that makes the frames.

    Raises LimitError.
    """
    site = Site.objects.filter(name=settings.RAYCRAFTER.cluster.name).first()
    share = Share.objects.filter(user=owner.pk).first()
    limit = share.max_frames if share and share.max_frames is not None else site and site.max_frames_per_user
    if limit is None:
        return
    # Locked until they are made: of two requests at once the second counts the first one's.
    get_user_model().objects.select_for_update(no_key=True).get(pk=owner.pk)
    present = Frame.objects.filter(job__owner=owner.pk, state__in=UNFINISHED).count()
    if present + new > limit:
        raise LimitError(limit, present)


def pause(job: Job, by: str, actor: str = Actor.USER) -> bool:
    """Pause a job: clients end after their frame, batches that wait are deleted.

    Returns False when it was paused already or is over.
    """
    rows = Job.objects.filter(pk=job.pk, paused=False).exclude(state__in=[*JOB_FINAL, JobState.CANCELLING])
    return _set_paused(rows, job, True, f"paused by {by}", actor)


def resume(job: Job, by: str, actor: str = Actor.USER) -> bool:
    """Go on with a paused job. Returns False when it was not paused."""
    return _set_paused(Job.objects.filter(pk=job.pk, paused=True), job, False, f"resumed by {by}", actor)


def _set_paused(rows: models.QuerySet, job: Job, paused: bool, message: str, actor: str) -> bool:
    with transaction.atomic():
        if not rows.update(paused=paused):
            return False
        job.paused = paused
        Event.note(job, "paused" if paused else "resumed", message, actor=actor)
    nudge()
    return True


def retry(job: Job, by: str, actor: str = Actor.USER) -> int:
    """Render failed frames again, and those cancelled because others failed.

    Returns how many; 0 when there are none, the job was cancelled, or its scene is deleted.
    """
    with transaction.atomic():
        job = Job.objects.locked(job.pk)
        if job.state not in RETRYABLE or job.files_deleted:
            return 0
        count = reopen(job.frames.all(), job, actor, tries=0, error="", percent=0.0, batch=None)
        if not count:
            return 0
        Job.objects.filter(pk=job.pk).update(retried=timezone.now(), warned=None)
        if reopen(Job.objects.filter(pk=job.pk), job, actor, state_reason="", finished=None):
            scene = job.transfers.filter(kind=Transfer.Kind.IN).last()
            if scene and scene.state != TransferState.DONE:
                Transfer.objects.create(job=job, kind=Transfer.Kind.IN, bytes_total=job.scene_size)
        Event.note(job, "retried", f"{count} frames once more, asked for by {by}", actor=actor)
    nudge()
    return count


def cancel(job: Job, by: str, actor: str = Actor.USER) -> bool:
    """Cancel a job: nothing more starts, clients are stopped, batches are deleted.

    Returns False when the job was over or being cancelled already.
    """
    if job.is_final or job.state == JobState.CANCELLING:
        return False
    with transaction.atomic():
        if not transition(job, JobState.CANCELLING, actor, state_reason=f"cancelled by {by}"):
            return False
        transition_all(job.frames.all(), FrameState.CANCELLED, job, actor)
        Attempt.objects.filter(frame__job=job, ended__isnull=True).update(
            ended=timezone.now(), outcome=Attempt.Outcome.CANCELLED
        )
        created = job.batches.filter(state=BatchState.CREATED)
        transition_all(created, BatchState.CANCELLED, job, actor, finished=timezone.now())
        transition_all(job.batches.all(), BatchState.CANCELLING, job, actor)
        transition_all(job.transfers.all(), TransferState.CANCELLED, job, actor, finished=timezone.now())
    nudge()
    return True


def extend(job: Job, by: str, actor: str = Actor.USER) -> bool:
    """Request an extension of the job's workspace; the answer becomes an event.

    Returns False when there is no workspace to extend. Raises RefusedError when the cluster grants no more extensions.
    """
    rows = Workspace.objects.filter(job=job.pk, state=WorkspaceState.ALLOCATED)
    row = rows.first()
    if row is None or job.is_final:
        return False
    if row.extensions_left == 0:
        end = f"; it expires at {row.expires:%Y-%m-%d %H:%M} UTC" if row.expires else ""
        raise RefusedError(409, f"workspace {row.name} has no extensions left{end}")
    rows.update(extension_asked_by=by)
    nudge()
    return True


def keep(job: Job, by: str, actor: str = Actor.USER) -> bool:
    """Keep a job from deletion by age.

    Returns False when it is kept already, or its files are gone.
    """
    return _set_kept(job, True, f"kept by {by}", actor)


def unkeep(job: Job, by: str, actor: str = Actor.USER) -> bool:
    """Let a job be deleted by age again, after its owner was notified anew.

    Returns False when it is not kept.
    """
    return _set_kept(job, False, f"no longer kept, by {by}", actor)


def _set_kept(job: Job, kept: bool, message: str, actor: str) -> bool:
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, keep=not kept, files_deleted=None).update(keep=kept, warned=None):
            return False
        job.keep, job.warned = kept, None
        Event.note(job, "kept" if kept else "not kept", message, actor=actor)
    return True
