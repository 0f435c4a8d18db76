"""Retention: which jobs are old. Their files go first, their rows later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce

from raycrafter.config import Retention

from .models import Batch, Job, Workspace
from .states import BATCH_FINAL, JOB_FINAL, WorkspaceState


@dataclass(frozen=True)
class Planned:
    """What will be deleted of a job, how much of the storage that frees, and when."""

    job: Job
    what: str
    size: int
    when: datetime


def rules() -> Retention:
    """Return the section [retention] of the configuration."""
    return settings.RAYCRAFTER.retention


def _ended_before(moment: datetime) -> QuerySet[Job]:
    return Job.objects.filter(state__in=JOB_FINAL, keep=False, finished__lte=moment).order_by("finished", "pk")


def old_files(at: datetime) -> QuerySet[Job]:
    """Return jobs whose files are old enough at that time and not deleted.

    Their owners may not have been notified yet.
    """
    days = rules().keep_days
    return _ended_before(at - timedelta(days=days)).filter(files_deleted=None) if days else Job.objects.none()


def due_files(now: datetime) -> QuerySet[Job]:
    """Return jobs whose files are deleted now: old enough, owners notified in time."""
    return old_files(now).filter(warned__lte=now - timedelta(days=rules().warn_days))


def old_jobs(at: datetime) -> QuerySet[Job]:
    """Return jobs whose rows are old enough to be deleted at that time.

    Their files are gone, and nothing of them is left on the cluster. A job that another waits for stays, because the
    other must know how it ended.
    """
    days = rules().keep_job_days
    if not days:
        return Job.objects.none()
    lent = [WorkspaceState.PENDING, WorkspaceState.ALLOCATED, WorkspaceState.RELEASING]
    followers = Job.objects.filter(after=OuterRef("pk")).exclude(state__in=JOB_FINAL)
    return _ended_before(at - timedelta(days=days)).filter(
        ~Exists(Workspace.objects.filter(job=OuterRef("pk"), state__in=lent)),
        ~Exists(Batch.objects.filter(job=OuterRef("pk")).exclude(state__in=BATCH_FINAL)),
        ~Exists(followers),
        files_deleted__isnull=False,
        scene="",
    )


def files_go(job: Job) -> datetime | None:
    """Return when a job's files are deleted at the earliest; None if never, or gone."""
    if not rules().keep_days or job.keep or job.files_deleted or not job.is_final or not job.finished:
        return None
    old = job.finished + timedelta(days=rules().keep_days)
    return max(old, job.warned + timedelta(days=rules().warn_days)) if job.warned else old


def planned(jobs: QuerySet[Job], now: datetime) -> list[Planned]:
    """Return what is deleted of those jobs within the time of notice, soonest first."""
    until = now + timedelta(days=rules().warn_days)
    size = F("scene_size") + Coalesce(Sum("frames__file_size"), 0)
    soon = old_files(until).filter(pk__in=jobs.values("pk")).select_related("owner").annotate(size=size)
    found = [Planned(job, "files", job.size, max(files_go(job) or now, now if job.warned else until)) for job in soon]
    age = timedelta(days=rules().keep_job_days)
    rows = old_jobs(until).filter(pk__in=jobs.values("pk")).select_related("owner")
    found += [Planned(job, "job", 0, max(job.finished + age, now)) for job in rows]
    return sorted(found, key=lambda item: item.when)
