"""Test the division of a host's memory between its services."""

import pytest
from ansible.errors import AnsibleFilterError
from sizing import WEIGHTS, memory_budget


@pytest.mark.parametrize("group", WEIGHTS)
def test_single_service_gets_at_least_half_of_the_memory(group):
    assert 8192 / 2 <= memory_budget(8192, group, [group, "managed"]) < 8192


def test_budgets_never_exceed_the_memory():
    assert sum(memory_budget(16384, group, list(WEIGHTS)) for group in WEIGHTS) < 16384


def test_second_service_reduces_the_budget():
    assert memory_budget(8192, "database", ["database", "web"]) < memory_budget(8192, "database", ["database"])


def test_group_without_a_weight_is_refused():
    with pytest.raises(AnsibleFilterError, match="cluster_login"):
        memory_budget(8192, "cluster_login", [])
