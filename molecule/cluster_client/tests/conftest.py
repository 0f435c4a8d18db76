"""What the tests of the cluster share."""

from __future__ import annotations

import pytest
from scenario import connected


@pytest.fixture(scope="session")
def login():
    """The login node, as the service's user there."""
    return connected("login1")
