"""Errors as application/problem+json: one shape, whoever found the error."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from raycrafter.jobs.errors import RefusedError

CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)


class Conflict(exceptions.APIException):
    """What is asked does not fit what is there."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "This does not fit the present state."
    default_code = "conflict"


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "errors": errors or [],
    }


def _flatten(detail: Any, field: str = "") -> list[dict[str, str]]:
    """Return REST framework's nested errors as a flat list; places in lists become ``events[3].seq``."""
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            if isinstance(name, int):
                found += _flatten(inner, f"{field}[{name}]")
                continue
            own = "" if name == "non_field_errors" else str(name)
            found += _flatten(inner, ".".join(part for part in (field, own) if part))
        return found
    if isinstance(detail, list):
        found = []
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            found += _flatten(inner, f"{field}[{index}]" if nested else field)
        return found
    return [{"field": field, "message": str(detail)}]


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None (an unforeseen error) becomes ``server_error``."""
    if isinstance(error, RefusedError):
        return Response(problem(error.status, str(error)), error.status, content_type=CONTENT_TYPE)
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        errors = _flatten(error.detail)
        detail = "; ".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors[:5])
        response.data = problem(response.status_code, detail, errors)
    else:
        response.data = problem(response.status_code, str(getattr(error, "detail", error)))
    response.content_type = CONTENT_TYPE
    return response


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _json(status: int, detail: str) -> HttpResponse:
    return JsonResponse(problem(status, detail), status=status, content_type=CONTENT_TYPE)


SENTENCES = {
    400: "The address or the form cannot be understood. Go back and try it anew.",
    403: "This is not yours to see or to do. Who owns the job can share it with you.",
    404: "There is no such page, or it is not for you to see. Old jobs are deleted by age.",
    500: "The service failed; the operators find the cause in its log. Try again in a while.",
}


def _page(status: int, request: HttpRequest | None = None, sentence: str = "") -> HttpResponse:
    """Return the page of an error; without a request where the user cannot or must not be looked up."""
    context = {"title": HTTPStatus(status).phrase, "status": status, "sentence": sentence or SENTENCES[status]}
    return HttpResponse(loader.render_to_string("web/error.html", context, request), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if _is_api(request):
        return _json(400, "The request is malformed.")
    return _page(400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if _is_api(request):
        return _json(403, "This is not allowed.")
    return _page(403, request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if _is_api(request):
        return _json(404, "There is nothing at this address.")
    return _page(404, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500; the traceback is in the log."""
    if _is_api(request):
        return _json(500, "The server failed; its log has the details.")
    return _page(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: mostly a form from before somebody signed in or out."""
    return _page(
        403,
        request,
        "This form is from an earlier visit, or from elsewhere. Go back, reload the page and send it again.",
    )
