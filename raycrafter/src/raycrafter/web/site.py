"""The page of the site: health, what the cluster is asked for, workspaces, what is held up and what will be deleted."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from raycrafter.api.health import check
from raycrafter.jobs.models import AvoidedNode, Batch, Job, Site, Workspace
from raycrafter.jobs.retention import planned, rules
from raycrafter.jobs.states import BATCH_FINAL, JOB_FINAL, WorkspaceState
from raycrafter.tasks.common import WAITING

from . import tables

ROWS_SHOWN = 50


@never_cache
@login_required
@require_safe
def site(request: HttpRequest) -> HttpResponse:
    """Users see their own jobs' workspaces and troubles; the batches are counted over all users."""
    cluster = settings.RAYCRAFTER.cluster
    jobs = Job.objects.visible_to(request.user)
    batches = Batch.objects.filter(site=cluster.name).exclude(state__in=BATCH_FINAL).order_by()
    lent = Workspace.objects.filter(job__in=jobs).exclude(state=WorkspaceState.RELEASED).select_related("job")
    waiting = jobs.filter(state_reason__startswith=WAITING).exclude(state__in=JOB_FINAL)
    shown = [
        tables.held_up(waiting[:ROWS_SHOWN]),
        tables.workspaces(lent.order_by("-pk")[:ROWS_SHOWN]),
        tables.avoided(AvoidedNode.objects.filter(site=cluster.name).order_by("host")[:ROWS_SHOWN]),
    ]
    if rules().keep_days:
        shown.append(tables.retention(planned(jobs, timezone.now()), ROWS_SHOWN))
    context = {
        "health": check(),
        "cluster": cluster,
        "row": Site.objects.filter(name=cluster.name).first(),
        "now": timezone.now(),
        "batches": batches.values_list("state").annotate(n=Count("pk")).order_by("state"),
        "tables": shown,
    }
    return render(request, "web/site.html", context)
