"""What kind of machine a host is, from its facts."""

from __future__ import annotations

CONTAINERS = {"container", "containerd", "docker", "lxc", "openvz", "podman", "systemd-nspawn"}


def is_container(facts: dict) -> bool:
    """Return whether a host shares its kernel and its clock with others, from its `ansible_facts` (subset virtual)."""
    return not CONTAINERS.isdisjoint(facts["virtualization_tech_guest"])


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"is_container": is_container}
