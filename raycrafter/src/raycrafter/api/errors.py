"""Errors as application/problem+json: one shape, whoever found the error."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
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


def problem_response(status: int, detail: str) -> JsonResponse:
    """Return an error outside of REST framework's views."""
    return JsonResponse(problem(status, detail), status=status, content_type=CONTENT_TYPE)


def _flatten(detail: Any, field: str = "") -> list[dict[str, str]]:
    """Return REST framework's nested errors as a flat list.

    Places in lists become ``events[3].seq``.
    """
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
    """Turn an exception into a problem; None (an unforeseen error) becomes a 500."""
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
