"""Pages of errors; addresses of the API get JSON."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template import loader

from raycrafter.api.errors import problem_response


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


SENTENCES = {
    400: "The address or the form cannot be understood. Go back and try it anew.",
    403: "This is not yours to see or to do. Who owns the job can share it with you.",
    404: "There is no such page, or it is not for you to see. Old jobs are deleted by age.",
    500: "The service failed; the operators find the cause in its log. Try again in a while.",
}


def _page(status: int, request: HttpRequest | None = None, sentence: str = "") -> HttpResponse:
    """Return the page of an error; without a request where no user must be looked up."""
    context = {"title": HTTPStatus(status).phrase, "status": status, "sentence": sentence or SENTENCES[status]}
    return HttpResponse(loader.render_to_string("web/error.html", context, request), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400: Django's handler400."""
    if _is_api(request):
        return problem_response(400, "The request is malformed.")
    return _page(400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403: Django's handler403."""
    if _is_api(request):
        return problem_response(403, "This is not allowed.")
    return _page(403, request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: Django's handler404."""
    if _is_api(request):
        return problem_response(404, "There is nothing at this address.")
    return _page(404, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500: Django's handler500; the traceback is in the log."""
    if _is_api(request):
        return problem_response(500, "The server failed; its log has the details.")
    return _page(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form with a bad token, mostly one from before a sign-in or sign-out."""
    return _page(
        403,
        request,
        "This form is from an earlier visit, or from elsewhere. Go back, reload the page and send it again.",
    )
