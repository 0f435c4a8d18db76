"""The firewall closes everything that its table of flows does not list."""

from __future__ import annotations

import pytest
import testinfra
from service import as_user

CLOSED = [
    ("login1", "master1", 5432),
    ("login1", "master1", 5671),
    ("login1", "master1", 8444),
    ("logging1", "master1", 8444),
    ("login1", "logging1", 12201),
    ("login1", "logging1", 12203),
    ("login1", "worker1", 22),
]
OPEN = [
    ("login1", "master1", 443),
    ("login1", "logging1", 12202),
    ("login1", "logging1", 12204),
    ("worker1", "master1", 5432),
    ("worker1", "master1", 5671),
    ("worker1", "master1", 8444),
    ("worker1", "login1", 22),
]


def reaches(request, source: str, target: str, port: int) -> bool:
    """Return whether one host of the lab can open a TCP connection to another."""
    host = testinfra.get_host(as_user(source), ssh_config=request.config.option.ssh_config)
    return host.run(f"timeout 3 bash -c 'exec 3<>/dev/tcp/{target}/{port}'").rc == 0


@pytest.mark.parametrize(("source", "target", "port"), CLOSED)
def test_unlisted_port_is_closed(request, source, target, port):
    assert not reaches(request, source, target, port)


@pytest.mark.parametrize(("source", "target", "port"), OPEN)
def test_listed_port_is_open(request, source, target, port):
    assert reaches(request, source, target, port)
