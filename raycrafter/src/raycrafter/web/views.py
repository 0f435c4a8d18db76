"""The pages. They show; all they can change is to cancel a job."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework import exceptions

from raycrafter.api.access import manageable_job
from raycrafter.api.serializers import log_search_url
from raycrafter.api.throttles import LoginThrottle
from raycrafter.jobs import requests
from raycrafter.jobs.models import Job

JOBS_PER_PAGE = 25
FRAMES_PER_PAGE = 100
EVENTS_SHOWN = 50


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
    """The jobs this user may see, newest first."""
    jobs = Job.objects.visible_to(request.user).with_progress().select_related("owner")
    return render(request, "web/job_list.html", {"page": _page(request, jobs, JOBS_PER_PAGE)})


def _context(request: HttpRequest, pk: int) -> dict[str, Any]:
    """What the page of a job and its fragment show alike."""
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related("owner", "workspace"), pk=pk)
    return {
        "job": job,
        "workspace": getattr(job, "workspace", None),
        "counts": [(state, count) for state, count in job.frame_counts().items() if count],
        "page": _page(request, job.frames.select_related("batch"), FRAMES_PER_PAGE),
        "batches": job.batches.all(),
        "transfers": job.transfers.all(),
        "events": job.events.select_related("frame").order_by("-pk")[:EVENTS_SHOWN],
        "log_search_url": log_search_url(f"job_id:{job.pk}"),
    }


@never_cache
@login_required
@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """One job."""
    return render(request, "web/job.html", _context(request, pk))


@never_cache
@login_required
@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a job's page that changes; the page fetches it every few seconds."""
    return render(request, "web/job_progress.html", _context(request, pk))


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a job."""
    try:
        job = manageable_job(request.user, pk)
    except exceptions.PermissionDenied as error:
        raise PermissionDenied(str(error)) from error
    if not requests.cancel(job, request.user.get_username()):
        messages.info(request, f"Job {pk} cannot be cancelled any more: it is {job.state}.")
    return redirect("job", pk=pk)


@never_cache
@require_safe
def staff_gate(request: HttpRequest) -> HttpResponse:
    """For nginx's ``auth_request`` before pages that are not Django's: 204 staff, 403 other users, 401 nobody."""
    if request.user.is_staff:
        return HttpResponse(status=204)
    return HttpResponse(status=403 if request.user.is_authenticated else 401)


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """The API's description for people, made from the same OpenAPI schema that machines get."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
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
