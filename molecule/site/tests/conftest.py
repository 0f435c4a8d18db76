"""Fixtures of the deployed service: secrets, and sessions with its APIs."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import httpx
import pytest
from service import ADDRESS, LOGGING, ON_ONE_HOST

from lab.copy_inventory import directory
from lab.vault import Hidden, opened


@pytest.fixture(scope="session")
def secrets() -> Hidden:
    """Return the decrypted vault of the lab."""
    return opened()


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """Return a TLS context that trusts the internal CA only."""
    return ssl.create_default_context(cafile=directory() / "pki/ca.crt")


@pytest.fixture(scope="session")
def anonymous(tls) -> httpx.Client:
    """Return a session with the REST API without a login."""
    with httpx.Client(base_url=f"https://{ADDRESS['master1']}/api/v1/", verify=tls, timeout=30) as session:
        yield session


@pytest.fixture(scope="session")
def api(anonymous, tls, secrets) -> httpx.Client:
    """Return a session with the REST API as the lab's ordinary user."""
    answer = anonymous.post("auth/login", json={"username": "demo", "password": secrets["vault_lab_user_password"]})
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Token {answer.json()['token']}"}
    with httpx.Client(base_url=anonymous.base_url, verify=tls, timeout=30, headers=headers) as session:
        yield session


@pytest.fixture(scope="session")
def graylog(tls, secrets) -> httpx.Client:
    """Return a session with Graylog's API as its root user, through nginx."""
    with httpx.Client(
        base_url=f"https://{ADDRESS[LOGGING]}/api/",
        verify=tls,
        timeout=30,
        auth=("admin", secrets["vault_graylog_root_password"]),
        headers={"Accept": "application/json"} | ({"Host": ON_ONE_HOST} if ON_ONE_HOST else {}),
    ) as session:
        yield session


@pytest.fixture(scope="session")
def found(graylog) -> Callable[[str], int]:
    """Return a function that counts the last hour's messages of a query."""

    def count(query: str) -> int:
        answer = graylog.get("search/universal/relative", params={"query": query, "range": 3600, "limit": 1})
        answer.raise_for_status()
        return answer.json()["total_results"]

    return count
