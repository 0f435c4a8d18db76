"""Filters for the facts of a host."""

from __future__ import annotations

CONTAINERS = {"container", "containerd", "docker", "lxc", "openvz", "podman", "systemd-nspawn"}


def is_container(facts: dict) -> bool:
    """Return whether a host is a container, which shares kernel and clock with others.

    ``facts`` are its ansible_facts with the subset virtual.
    """
    return not CONTAINERS.isdisjoint(facts["virtualization_tech_guest"])


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"is_container": is_container}
