"""Filters that compare what hosts hold with what the inventory says now."""

from __future__ import annotations

from collections.abc import Mapping

# Groups whose hosts have data that no other host has, unless the group has several hosts.
GROUPS_WITH_DATA = ("database", "elasticsearch", "mongodb")
FILES = "scene and frame files"


def holdings(groups: Mapping, host: str) -> list[str]:
    """Return the names of the data that a host holds: groups, and the files of the first web host."""
    held = [group for group in GROUPS_WITH_DATA if host in groups.get(group, [])]
    return held + ([FILES] if host in groups.get("web", [])[:1] else [])


def _recorded(hostvars: Mapping, host: str, key: str) -> list[str]:
    """Return a list of the record that playbooks/summary.yml has written on a host, empty on a new host."""
    facts = hostvars[host].get("ansible_facts", {})
    return facts.get("ansible_local", {}).get("raycrafter", {}).get(key, [])


def moved_data(hostvars: Mapping, groups: Mapping) -> list[str]:
    """Return a sentence for each kind of data that would stay behind, because no host keeps it."""
    hosts = groups["managed"]
    faults = []
    for what in (*GROUPS_WITH_DATA, FILES):
        before = [host for host in hosts if what in _recorded(hostvars, host, "holds")]
        now = [host for host in hosts if what in holdings(groups, host)]
        if before and not set(before) & set(now):
            faults.append(
                f"{what}: the data are on {', '.join(before)}, and {', '.join(now)} would start empty. Move the group "
                f'back in the inventory, or move the data first (docs/operation.md, "Moving a service")'
            )
    return faults


def left_groups(hostvars: Mapping, groups: Mapping) -> list[str]:
    """Return a sentence for each host with services of groups that it is no longer in."""
    sentences = []
    for host in groups["managed"]:
        left = [group for group in _recorded(hostvars, host, "groups") if host not in groups.get(group, [])]
        if left:
            sentences.append(f"{host}: {', '.join(left)}")
    return sentences


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"holdings": holdings, "left_groups": left_groups, "moved_data": moved_data}
