"""Requests made up from the OpenAPI description: no answer is a server error, or other than the description says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from raycrafter.api.tokens import make_token
from raycrafter.jobs.models import Batch, Upload
from rest_framework.throttling import SimpleRateThrottle
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

EXAMPLES = 12  # requests to each operation: half a minute of one core; the seed is fixed
CHECKS = [not_a_server_error, response_schema_conformance]


@schemathesis.serializer("application/offset+octet-stream")
def piece(_: Any, value: Any) -> Any:
    """The bytes of an upload, as they are."""
    return value.data if hasattr(value, "data") else str(value).encode()


schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())


@pytest.fixture
def world(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Tokens of a job's owner and of its batch, and the numbers of what is there. Nobody is slowed down."""
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *_: True)
    owner, until = batch.job.owner, timezone.now() + timedelta(days=1)
    upload = Upload.objects.create(owner=owner, filename="s.pov", size=9, expires=until)
    user = make_token(owner, "fuzz", False, timedelta(days=1))[1]
    return {
        "user": f"Token {user}",
        "client": f"Batch {batch.issue_token()}",
        "/jobs/": {"id": batch.job_id, "number": 1},
        "/uploads/": {"id": upload.pk},
    }


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described(case: Any, world: dict[str, Any]) -> None:
    case.call_and_validate(headers=authorization(case, world), checks=CHECKS)
    # what was made up is rarely there: the same again at something that is
    for prefix in ("/jobs/", "/uploads/"):
        if prefix in case.path:
            known = {name: value for name, value in world[prefix].items() if name in case.path_parameters}
            case.path_parameters.update(known)
            case.call_and_validate(headers=authorization(case, world), checks=CHECKS)


def authorization(case: Any, world: dict[str, Any]) -> dict[str, str]:
    """Return the header of whom the address is for."""
    return {"Authorization": world["client" if "/client/" in case.path else "user"]}
