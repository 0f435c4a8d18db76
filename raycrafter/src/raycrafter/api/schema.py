"""The OpenAPI description, and its address, which is open to anybody."""

from __future__ import annotations

import functools
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from .errors import CONTENT_TYPE
from .throttles import SchemaThrottle


class TokenScheme(OpenApiAuthenticationExtension):
    """A user's token."""

    target_class = "raycrafter.api.authentication.TokenAuthentication"
    name = "userToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token ` and a token from auth/login",
        }


class BatchScheme(OpenApiAuthenticationExtension):
    """A batch's token."""

    target_class = "raycrafter.api.authentication.BatchAuthentication"
    name = "batchToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Batch ` and the token in the batch's client.json",
        }


PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def add_problem(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook: every operation may answer with a problem."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {
        "description": "an error",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", answer)
    return result


@functools.cache
def description() -> dict[str, Any]:
    """Return the description; it is made once, which takes a while."""
    return SchemaGenerator().get_schema(request=None, public=True)


class MadeOnce(SchemaGenerator):
    """Makes no other description, whatever a request asks for."""

    def get_schema(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the one."""
        return description()


class SchemaView(SpectacularAPIView):
    """The description, as JSON or YAML."""

    authentication_classes = ()
    throttle_classes = (SchemaThrottle,)
    generator_class = MadeOnce

    def handle_exception(self, error: Exception) -> Response:
        """Answer a problem in JSON, in whichever form the description was asked for."""
        self.request.accepted_renderer = JSONRenderer()
        return super().handle_exception(error)
