"""The pages of jobs; signing in; the API's description."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from raycrafter.api.schema import description
from raycrafter.api.serializers import log_search_url
from raycrafter.api.throttles import LoginThrottle, SchemaThrottle
from raycrafter.api.views import JobFilter
from raycrafter.jobs import requests
from raycrafter.jobs.errors import RefusedError
from raycrafter.jobs.holds import WAITING
from raycrafter.jobs.models import Attempt, Job
from raycrafter.jobs.permissions import actor_of, manageable_job, manageable_jobs, visible_jobs
from raycrafter.jobs.progress import load_progress
from raycrafter.jobs.retention import files_go, rules
from raycrafter.jobs.states import JOB_FINAL, FrameState, JobState, WorkspaceState

from . import tables
from .chart import frame_times

JOBS_PER_PAGE = 25
FRAMES_PER_PAGE = 48  # thumbnails that a browser may fetch at once
ROWS_SHOWN = 20  # of batches, transfers and errors
EVENTS_SHOWN = 50
LOGS_SHOWN = 3
FILTERS = ("name", "state", "owner")  # of the list; the API has more

# What a page can do to a job, and the words on the button.
ACTIONS = {
    "cancel": (requests.cancel, "Cancel this job"),
    "pause": (requests.pause, "Pause"),
    "resume": (requests.resume, "Resume"),
    "retry": (requests.retry, "Retry failed frames"),
    "extend": (requests.extend, "Extend the workspace"),
    "keep": (requests.keep, "Keep this job"),
    "unkeep": (requests.unkeep, "No longer keep"),
}


class LoginView(auth_views.LoginView):
    """Sign in; as slow for guessing as the API's login."""

    template_name = "web/login.html"
    redirect_authenticated_user = True
    throttle_scope = "login"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check user name and password."""
        if not LoginThrottle().allow_request(request, self):
            form = self.get_form_class()(request)
            context = self.get_context_data(form=form, throttled=True)
            return self.render_to_response(context, status=429)
        return super().post(request, *args, **kwargs)


def _page(request: HttpRequest, rows: QuerySet, size: int) -> Page:
    return Paginator(rows, size).get_page(request.GET.get("page"))


@never_cache
@login_required
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """Show the jobs this user may see, newest first; filters as the API's list."""
    jobs = visible_jobs(request.user).select_related("owner")
    page = _page(request, JobFilter(request.GET, jobs).qs, JOBS_PER_PAGE)
    load_progress(page)
    open_jobs = any(job.state not in JOB_FINAL for job in page)
    context = {"page": page, "open_jobs": open_jobs, "states": JobState.values, "waiting": WAITING}
    context["filtered"] = any(request.GET.get(name) for name in FILTERS)
    return render(request, "web/job_list.html", context)


def _offered(job: Job, counts: dict[str, int]) -> list[tuple[str, str]]:
    """Return name and words of the actions that make sense in the job's present state."""
    names = []
    if (
        job.state in requests.RETRYABLE
        and not job.files_deleted
        and counts[FrameState.FAILED] + counts[FrameState.CANCELLED]
    ):
        names.append("retry")
    if not job.is_final and job.state != JobState.CANCELLING:
        names += ["resume" if job.paused else "pause", "cancel"]
        workspace = getattr(job, "workspace", None)
        if workspace and workspace.state == WorkspaceState.ALLOCATED and workspace.extensions_left != 0:
            names.append("extend")
    if rules().keep_days and not job.files_deleted:
        names.append("unkeep" if job.keep else "keep")
    return [(name, ACTIONS[name][1]) for name in names]


@never_cache
@login_required
@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one job; ``?state=FAILED`` shows only the frames in that state.

    The number of queries is the same for any job.
    """
    job = get_object_or_404(visible_jobs(request.user).select_related("owner", "workspace"), pk=pk)
    counts, percent = job.frame_counts(), job.percent()
    frames = job.frames.defer("outputs")
    chosen = request.GET.get("state")
    shown = frames.filter(state=chosen) if chosen in FrameState else frames
    events = job.events.order_by("-pk")[:EVENTS_SHOWN]
    context = {
        "job": job,
        "workspace": getattr(job, "workspace", None),
        "files_go": files_go(job),
        "actions": _offered(job, counts) if manageable_jobs(request.user).filter(pk=pk).exists() else [],
        "counts": [(state, count) for state, count in counts.items() if count],
        "percent": percent,
        "tenths": int(percent // 10 * 10),
        "chosen": chosen if chosen in FrameState else "",
        "page": _page(request, shown, FRAMES_PER_PAGE),
        "failed": counts[FrameState.FAILED] if chosen != FrameState.FAILED else 0,
        "after": job.after.order_by("pk").annotate(seen=Exists(visible_jobs(request.user).filter(pk=OuterRef("pk")))),
        "here": job.frames.exclude(file="").aggregate(count=Count("pk"), size=Sum("file_size")),
        "logs": _latest_logs(job),
        "chart": frame_times(job),
        "tables": [
            tables.errors(frames.exclude(error="").order_by("number")[:ROWS_SHOWN]),
            tables.events(events),
            tables.batches(job.batches.order_by("-pk")[:ROWS_SHOWN], job.batches.count()),
            tables.transfers(job.transfers.defer("manifest").order_by("-pk")[:ROWS_SHOWN]),
        ],
        "log_search_url": log_search_url(job),
    }
    return render(request, "web/job.html", context)


def _latest_logs(job: Job) -> QuerySet[Attempt]:
    """Return the attempts whose lines are shown: those in work, else the latest ones."""
    spoken = Attempt.objects.filter(frame__job=job).exclude(log="").select_related("frame")
    return spoken.defer("frame__outputs").order_by(F("ended").desc(nulls_first=True), "-pk")[:LOGS_SHOWN]


@never_cache
@login_required
@require_safe
def frame(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show one frame: its picture, and its renderer's output at every attempt."""
    job = get_object_or_404(visible_jobs(request.user), pk=pk)
    shown = get_object_or_404(job.frames.defer("outputs"), number=number)
    numbers = job.frames.order_by("number").values_list("number", flat=True)
    attempts = shown.attempts.select_related("frame").order_by("-number")[:ROWS_SHOWN]
    context = {
        "job": job,
        "frame": shown,
        "previous": numbers.filter(number__lt=number).last(),
        "next": numbers.filter(number__gt=number).first(),
        "attempts": attempts,
    }
    return render(request, "web/frame.html", context)


@login_required
@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Do to a job what ``ACTIONS`` names."""
    if action not in ACTIONS:
        raise Http404(f"There is no action {action!r}.")
    job = manageable_job(request.user, pk)
    try:
        done = ACTIONS[action][0](job, request.user.get_username(), actor_of(request.user))
    except RefusedError as error:
        messages.info(request, f"Refused: {error}.")
    else:
        if not done:
            job.refresh_from_db()
            messages.info(request, f"Nothing to {action}: job {pk} is {job.state}.")
        elif action == "extend":
            messages.info(request, "The site is asked for an extension; its answer will be among the events.")
    return redirect("job", pk=pk)


@never_cache
@require_safe
def staff_gate(request: HttpRequest) -> HttpResponse:
    """Answer nginx's ``auth_request``: 204 for staff, 403 other users, 401 nobody."""
    if request.user.is_staff:
        return HttpResponse(status=204)
    return HttpResponse(status=403 if request.user.is_authenticated else 401)


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """Show the API's description for people, made from the OpenAPI schema."""
    if not SchemaThrottle().allow_request(request, None):
        return render(request, "web/error.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    schema = description()
    operations = [
        {
            "method": method.upper(),
            "path": path,
            "text": operation.get("description", ""),
            "parameters": [f"{item['name']} ({item['in']})" for item in operation.get("parameters", [])],
            "body": _body_fields(schema, operation),
            "answers": [
                f"{code} {answer.get('description', '')}".strip() for code, answer in operation["responses"].items()
            ],
        }
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "web/documentation.html", {"operations": operations, "info": schema["info"]})


def _body_fields(schema: dict[str, Any], operation: dict[str, Any]) -> list[tuple[str, str]]:
    """Return name and type of the fields of an operation's body."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return []
    reference = next(iter(content.values()))["schema"].get("$ref", "")
    body = schema["components"]["schemas"].get(reference.rsplit("/", 1)[-1], {})
    required = body.get("required", [])
    return [
        (name, str(field.get("type", "object")) + ("" if name in required else ", optional"))
        for name, field in body.get("properties", {}).items()
    ]
