"""How much of a host's memory each of its services may count on."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

# What the services of a host divide its memory by: one part for the system, and these for the groups. Elasticsearch has
# the most, because it also lives on the page cache of its files.
SYSTEM = 1
WEIGHTS = {"web": 2, "database": 2, "broker": 1, "workers": 2, "elasticsearch": 4, "graylog": 2, "mongodb": 1}


def memory_budget(memory_mb: int, group: str, group_names: list[str]) -> int:
    """Return the megabytes of a host's memory that the service of one of its groups may count on.

    A host in one group gives it nearly all; where several share it, each gets its part by weight, and the parts never
    exceed the memory. Raises AnsibleFilterError for a group that has no service with a weight.
    """
    if group not in WEIGHTS:
        raise AnsibleFilterError(f"memory_budget knows no group {group!r}; it knows {', '.join(WEIGHTS)}")
    shares = SYSTEM + sum(weight for name, weight in WEIGHTS.items() if name in {*group_names, group})
    return int(memory_mb) * WEIGHTS[group] // shares


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"memory_budget": memory_budget}
