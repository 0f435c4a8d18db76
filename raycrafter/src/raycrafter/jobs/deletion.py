"""Deletion by age: owners are notified, then files go, later the rows.

Each tick deletes a bit. What unfinished uploads left is deleted whatever the site's choice.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from . import retention, uploads
from .models import Attempt, Batch, Event, Frame, Job, Transfer
from .notifications import job_url, notify
from .thumbnails import delete_with_copy

logger = logging.getLogger(__name__)

FILES_AT_ONCE = 5000  # at a tick
JOBS_AT_ONCE = 50
ROWS = 5000  # in one DELETE
LISTED = 100  # jobs named in a message


def run() -> None:
    """Delete what is due, in one bounded run.

    Without days in [retention] only the remains of uploads are deleted.
    """
    try:
        uploads.remove_expired()
        uploads.sweep()
    except OSError as error:
        logger.warning("what is left of uploads could not be deleted: %s", error)
    if not retention.rules().keep_days:
        return
    _warn()
    for job in retention.due_files(timezone.now())[:JOBS_AT_ONCE]:
        _begin(job)
    _delete_files()
    for job in retention.old_jobs(timezone.now())[:JOBS_AT_ONCE]:
        _delete_job(job)


def _warn() -> None:
    """Notify each owner once a day of the jobs whose files will be deleted.

    The time to object begins with that. An event on each job says the same, for owners without address and webhook.
    """
    now, rules = timezone.now(), retention.rules()
    jobs = retention.old_files(now + timedelta(days=rules.warn_days)).filter(warned=None).select_related("owner")
    told_today = Job.objects.filter(warned__gte=now - timedelta(days=1)).values("owner")
    by_owner: dict[int, list[Job]] = {}
    for job in jobs.exclude(owner__in=told_today):
        by_owner.setdefault(job.owner_id, []).append(job)
    for mine in by_owner.values():
        Job.objects.filter(pk__in=[job.pk for job in mine], warned=None).update(warned=now)
        lines, events = [], []
        for job in mine:
            job.warned = now
            day = f"{retention.files_go(job):%Y-%m-%d}"
            lines.append(f"{day}  job {job.pk} ({job.name})  {job_url(job)}\n")
            text = f"its files will be deleted on {day}, unless it is marked to be kept"
            events.append(Event(job=job, kind="retention", message=text, level=Event.Level.WARNING))
        Event.objects.bulk_create(events)
        if len(mine) > LISTED:
            lines[LISTED:] = [f"and {len(mine) - LISTED} more\n"]
        text = "The files of these jobs will be deleted, unless you mark them to be kept:\n\n" + "".join(lines)
        notify(mine[0].owner, "deletion", f"{now:%Y-%m-%d}", f"Files of {len(mine)} jobs will be deleted", text)


def _begin(job: Job) -> None:
    """Mark a job's files as deleted: from here on it can neither be retried nor kept."""
    now = timezone.now()
    if retention.due_files(now).filter(pk=job.pk).update(files_deleted=now):
        days = retention.rules().keep_days
        Event.note(job, "retention", f"its files are deleted, {days} days after its end", Event.Level.WARNING)
        logger.info("deleting the files of job %d", job.pk, extra={"job_id": job.pk})


def _delete_files() -> None:
    """Delete files, from where an earlier run ended.

    A name leaves the database when its file is gone.
    """
    left = FILES_AT_ONCE
    for job in Job.objects.filter(files_deleted__isnull=False).exclude(scene="").order_by("files_deleted", "pk"):
        try:
            left = _delete_frames(job, left)
            if left <= 0:
                return
            default_storage.delete(job.scene.name)
        except OSError as error:
            # the storage is away, or refuses: the others would fare alike
            logger.warning("job %d: its files could not be deleted: %s", job.pk, error, extra={"job_id": job.pk})
            return
        Job.objects.filter(pk=job.pk).update(scene="")


def _delete_frames(job: Job, left: int) -> int:
    """Delete the files of a job's frames. Return how many more this tick may delete.

    All that was ever fetched, not only what frames name: a frame may have several files, and a fetch may have failed
    after it had stored some. Returns 0 when some are left.
    """
    for transfer in job.transfers.filter(kind=Transfer.Kind.OUT).exclude(manifest=[]).order_by("pk"):
        if left <= 0:
            return 0
        targets = [entry["target"] for entry in transfer.manifest]
        for name in targets:
            delete_with_copy(name)
        job.frames.filter(file__in=targets).update(file="", thumbnail=False)
        Transfer.objects.filter(pk=transfer.pk).update(manifest=[])
        left -= len(targets)
    frames = job.frames.exclude(file="").order_by("number")[: max(left, 0)]
    for frame in frames:
        delete_with_copy(frame.file.name)
        Frame.objects.filter(pk=frame.pk).update(file="", thumbnail=False)
        left -= 1
    return max(left, 0)


def _delete_job(job: Job) -> None:
    """Delete a job's rows in slices, then the job.

    One statement for all would lock and load too much.
    """
    related = (
        Event.objects.filter(job=job),
        Attempt.objects.filter(frame__job=job),
        Frame.objects.filter(job=job),
        Batch.objects.filter(job=job),
    )
    for rows in related:
        while _delete_slice(rows):
            pass
    pk, owner = job.pk, job.owner_id
    job.delete()
    logger.info("job %d of user %d is deleted by age", pk, owner, extra={"job_id": pk})


def _delete_slice(rows: models.QuerySet) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS])
    return rows.model.objects.filter(pk__in=keys).delete()[0] if keys else 0
