"""Access: which jobs a user may see and change, and as whom a user acts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404

from .models import Event, Job, JobQuerySet, JobShare


def visible_jobs(user: Any) -> JobQuerySet:
    """Return the jobs that a user may see: their own and shared ones; all for staff."""
    return _reached_by(user, manage=False)


def manageable_jobs(user: Any) -> JobQuerySet:
    """Return the jobs that a user may change: their own, shared ones; all for staff."""
    return _reached_by(user, manage=True)


def _reached_by(user: Any, *, manage: bool) -> JobQuerySet:
    jobs = Job.objects.all()
    if user.is_staff:
        return jobs
    shares = JobShare.objects.filter(manage=True) if manage else JobShare.objects.all()
    mine = shares.filter(Q(user=user.pk) | Q(group__user=user.pk))
    # a subquery: a join would count frames once for each share
    return jobs.filter(Q(owner=user.pk) | Q(pk__in=mine.values("job")))


def visible_job(user: Any, pk: int) -> Job:
    """Return a job. Raises Http404 whether it does not exist or is not theirs to see."""
    return get_object_or_404(visible_jobs(user), pk=pk)


def manageable_job(user: Any, pk: int) -> Job:
    """Return a job to change.

    Raises Http404, and PermissionDenied when it is shared to be seen only.
    """
    job = visible_job(user, pk)
    if not manageable_jobs(user).filter(pk=pk).exists():
        raise PermissionDenied(f"Job {pk} is shared with you to see, not to change.")
    return job


def own_job(user: Any, pk: int) -> Job:
    """Return a job to share.

    Raises Http404, and PermissionDenied unless the user owns it or is staff.
    """
    job = visible_job(user, pk)
    if job.owner_id != user.pk and not user.is_staff:
        raise PermissionDenied(f"Job {pk} is not yours: its owner decides with whom it is shared.")
    return job


def actor_of(user: Any) -> Event.Actor:
    """Return as whom a user acts."""
    return Event.Actor.OPERATOR if user.is_staff else Event.Actor.USER
