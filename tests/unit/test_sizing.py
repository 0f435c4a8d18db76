"""The memory of a host is divided between its services."""

import pytest
from ansible.errors import AnsibleFilterError
from sizing import WEIGHTS, memory_budget


@pytest.mark.parametrize("group", WEIGHTS)
def test_a_service_alone_gets_at_least_half_and_leaves_something(group):
    assert 8192 / 2 <= memory_budget(8192, group, [group, "managed"]) < 8192


def test_the_parts_of_one_host_never_exceed_its_memory():
    assert sum(memory_budget(16384, group, list(WEIGHTS)) for group in WEIGHTS) < 16384


def test_a_neighbour_makes_the_part_smaller():
    assert memory_budget(8192, "database", ["database", "web"]) < memory_budget(8192, "database", ["database"])


def test_a_group_without_a_weight_is_refused_by_name():
    with pytest.raises(AnsibleFilterError, match="cluster_login"):
        memory_budget(8192, "cluster_login", [])
