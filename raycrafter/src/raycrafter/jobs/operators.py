"""The operators' group: they see all rows of the admin site, and set quotas."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from .models import BlockedNode, Licence, Share, Site

NAME = "operators"
# What the admin site lets people make, change and remove; everything else there can only be looked at.
THEIRS = [model._meta.model_name for model in (Site, Share, Licence, BlockedNode)]


def operators() -> Group:
    """Return the group, with all its permissions; what somebody added stays."""
    group, _ = Group.objects.get_or_create(name=NAME)
    of_jobs = Permission.objects.filter(content_type__app_label="jobs")
    group.permissions.add(*of_jobs.filter(Q(codename__startswith="view_") | Q(content_type__model__in=THEIRS)))
    return group
