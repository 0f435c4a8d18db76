"""The page of the cluster: health, batches, workspaces, holds, what is deleted soon."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from raycrafter.api.health import check
from raycrafter.jobs.holds import WAITING
from raycrafter.jobs.models import Batch, BlockedNode, Site, Workspace
from raycrafter.jobs.permissions import visible_jobs
from raycrafter.jobs.retention import planned, rules
from raycrafter.jobs.states import BATCH_FINAL, JOB_FINAL, WorkspaceState

from . import tables

ROWS_SHOWN = 50
# What goes by age changes by the day, and every job that is due is looked at for it.
REMEMBERED = 60  # seconds


@never_cache
@login_required
@require_safe
def site(request: HttpRequest) -> HttpResponse:
    """Show a user's own workspaces and holds; batches are counted over all users."""
    cluster, now = settings.RAYCRAFTER.cluster, timezone.now()
    jobs = visible_jobs(request.user)
    batches = Batch.objects.filter(site=cluster.name).exclude(state__in=BATCH_FINAL).order_by()
    lent = Workspace.objects.filter(job__in=jobs).exclude(state=WorkspaceState.RELEASED).select_related("job")
    waiting = jobs.filter(state_reason__startswith=WAITING).exclude(state__in=JOB_FINAL)
    blocked = BlockedNode.objects.filter(site=cluster.name, until__gt=now).order_by("host")
    shown = [
        tables.held_up(waiting[:ROWS_SHOWN]),
        tables.workspaces(lent.order_by("-pk")[:ROWS_SHOWN]),
        tables.blocked_nodes(blocked[:ROWS_SHOWN]),
    ]
    if rules().keep_days:
        key = f"deleted-soon-{request.user.pk}"
        shown.append(cache.get_or_set(key, lambda: tables.retention(planned(jobs, now), ROWS_SHOWN), REMEMBERED))
    context = {
        "health": check(),
        "cluster": cluster,
        "row": Site.objects.filter(name=cluster.name).first(),
        "now": now,
        "batches": batches.values_list("state").annotate(n=Count("pk")).order_by("state"),
        "tables": shown,
    }
    return render(request, "web/site.html", context)
