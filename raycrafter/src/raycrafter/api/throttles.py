"""Throttles, counted in the cache; the rates are in the settings.

Compute-node clients are not counted: a claim that is refused would end a batch that has its nodes.
"""

from rest_framework.throttling import AnonRateThrottle, ScopedRateThrottle


class LoginThrottle(ScopedRateThrottle):
    """Slow down guessing of passwords, per address."""


class SubmitThrottle(ScopedRateThrottle):
    """New jobs and uploads."""

    def allow_request(self, request, view) -> bool:  # type: ignore[no-untyped-def]
        """Count what makes something; looking is counted elsewhere."""
        return request.method != "POST" or super().allow_request(request, view)


class SchemaThrottle(AnonRateThrottle):
    """The API's description, which is open to anybody; per address."""

    scope = "schema"
