"""What kind of machine a host is."""

from __future__ import annotations

import pytest
from hosts import is_container


@pytest.mark.parametrize(
    ("guest", "answer"),
    [
        ([], False),
        (["kvm"], False),
        (["kvm", "openstack"], False),
        (["container", "docker"], True),
        (["systemd-nspawn"], True),
        (["kvm", "lxc"], True),
    ],
)
def test_a_container_is_told_from_a_machine(guest, answer):
    assert is_container({"virtualization_tech_guest": guest}) is answer
