"""Provide fixtures of the tests for Graylog."""

from __future__ import annotations

import pytest

from tests.unit.graylog.managed import graylog  # noqa: F401 - a fixture
from tests.unit.graylog.support import RELEASES, Recording


@pytest.fixture(params=RELEASES)
def recording(request) -> Recording:
    return Recording(request.param)
