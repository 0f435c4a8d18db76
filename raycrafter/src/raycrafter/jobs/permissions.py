"""Which job is meant, and whether who asks may see or change it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.exceptions import PermissionDenied

from .models import Job


def visible_job(user: Any, pk: int) -> Job:
    """Return the job. Raises Http404 when it does not exist or is not for this user to see: both look alike."""
    return get_object_or_404(Job.objects.visible_to(user), pk=pk)


def manageable_job(user: Any, pk: int) -> Job:
    """As ``visible_job``; raises PermissionDenied when it was shared to be seen only."""
    job = visible_job(user, pk)
    if not Job.objects.manageable_by(user).filter(pk=pk).exists():
        raise PermissionDenied(f"Job {pk} is shared with you to see, not to change.")
    return job


def own_job(user: Any, pk: int) -> Job:
    """As ``visible_job``; raises PermissionDenied when it is somebody else's, unless staff ask."""
    job = visible_job(user, pk)
    if job.owner_id != user.pk and not user.is_staff:
        raise PermissionDenied(f"Job {pk} is not yours: its owner decides with whom it is shared.")
    return job
