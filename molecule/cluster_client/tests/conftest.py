"""Fixtures of the cluster's tests."""

from __future__ import annotations

import pytest
from scenario import connected


@pytest.fixture(scope="session")
def login():
    """Return a connection to the login node as the service's user."""
    return connected("login1")
