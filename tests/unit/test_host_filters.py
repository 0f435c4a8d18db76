"""Test the filters for the facts of a host."""

from __future__ import annotations

import pytest
from hosts import is_container


@pytest.mark.parametrize(
    ("guest", "container"),
    [
        ([], False),
        (["kvm"], False),
        (["kvm", "openstack"], False),
        (["container", "docker"], True),
        (["systemd-nspawn"], True),
        (["kvm", "lxc"], True),
    ],
)
def test_container_is_recognized(guest, container):
    assert is_container({"virtualization_tech_guest": guest}) is container
