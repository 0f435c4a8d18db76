"""Filter that divides a host's memory between its services."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

# Shares of a host's memory: for the system, and for the service of each group. Elasticsearch has the largest share,
# because it also depends on the page cache of its files.
SYSTEM = 1
WEIGHTS = {"web": 2, "database": 2, "broker": 1, "workers": 2, "elasticsearch": 4, "graylog": 2, "mongodb": 1}


def memory_budget(memory_mb: int, group: str, group_names: list[str]) -> int:
    """Return the memory for the service of ``group`` on a host, in megabytes.

    memory_mb: the host's memory in megabytes. group_names: all groups of the host, which share it by their weights.
    Raises AnsibleFilterError for a group without a weight.
    """
    if group not in WEIGHTS:
        raise AnsibleFilterError(f"memory_budget has no weight for the group {group!r}: use {', '.join(WEIGHTS)}")
    shares = SYSTEM + sum(weight for name, weight in WEIGHTS.items() if name in {*group_names, group})
    return int(memory_mb) * WEIGHTS[group] // shares


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"memory_budget": memory_budget}
