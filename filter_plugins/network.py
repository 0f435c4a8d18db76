"""Filters for the firewall: convert the table of flows to the rules of one host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from ansible.errors import AnsibleFilterError

# A flow's name becomes a quoted comment in nftables' language.
NAME = re.compile(r"[A-Za-z0-9 _.,:;'()/+-]{1,120}")


def flows_for_host(flows: list[dict], group_names: list[str], groups: dict, addresses: dict[str, str]) -> list[dict]:
    """Return the incoming flows of a host that has `group_names`.

    A flow's `from` is "any", a group, a network or a list of these; `to` is a group; `ports` are numbers.
    Each returned dict has `name`, `ports` (sorted numbers), `any` (true: every source), `ipv4` and `ipv6` (sorted
    addresses and networks). Flows without a source are left out.
    Raises AnsibleFilterError with the flow's name if a group, an address or a port is invalid.
    """
    ours = [flow for flow in flows if _group(flow, "to", flow["to"], groups) in group_names]
    incoming = [_incoming(flow, groups, addresses) for flow in ours]
    return [flow for flow in incoming if flow["any"] or flow["ipv4"] or flow["ipv6"]]


def ssh_flow(addresses: list[str], port: int) -> dict:
    """Return the controllers' ssh flow in the form of `flows_for_host`.

    `addresses` are addresses and networks; an IPv6 address may have a zone, as in ssh's variables. Raises
    AnsibleFilterError for other values.
    """
    try:
        networks = {ipaddress.ip_network(address.partition("%")[0]) for address in addresses}
    except ValueError as error:
        raise AnsibleFilterError(f"firewall_controller_addresses: {error}; use addresses and networks") from error
    return _host_flow("ssh", [port], networks)


def _incoming(flow: dict, groups: dict, addresses: dict[str, str]) -> dict:
    if not NAME.fullmatch(flow["name"]):
        raise _error(flow, "its name may contain only letters, digits, spaces and _.,:;'()/+-, at most 120 of them")
    ports = flow["ports"]
    if not ports or not all(_is_port(port) for port in ports):
        raise _error(flow, f"its ports must be a list of numbers from 1 to 65535, not {ports!r}")
    sources = [flow["from"]] if isinstance(flow["from"], str) else list(flow["from"])
    networks = {network for source in sources for network in _networks(flow, source, groups, addresses)}
    return _host_flow(flow["name"], ports, networks, any_source="any" in sources)


def _host_flow(name: str, ports: list[int], networks: set, any_source: bool = False) -> dict:
    return {
        "name": name,
        "ports": sorted(set(ports)),
        "any": any_source,
        "ipv4": _without_overlap(network for network in networks if network.version == 4),
        "ipv6": _without_overlap(network for network in networks if network.version == 6),
    }


def _networks(flow: dict, source: str, groups: dict, addresses: dict[str, str]) -> list:
    if source == "any":
        return []
    try:
        return [ipaddress.ip_network(source)]
    except ValueError:
        hosts = groups[_group(flow, "from", source, groups)]
    missing = [host for host in hosts if host not in addresses]
    if missing:
        raise _error(flow, f"the address of {', '.join(missing)} is unknown: set ansible_host in the inventory")
    try:
        return [ipaddress.ip_network(addresses[host]) for host in hosts]
    except ValueError as error:
        raise _error(flow, f"the firewall needs addresses, not names: {error}; set network_addresses") from error


def _group(flow: dict, key: str, name: str, groups: dict) -> str:
    if name not in groups:
        raise _error(flow, f"its '{key}' has {name!r}: use a group of the inventory, a network or 'any'")
    return name


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def _without_overlap(networks: Iterable) -> list[str]:
    """Remove networks within other networks: nftables refuses sets that overlap."""
    kept: list = []
    for network in sorted(networks, key=lambda n: (n.prefixlen, n)):
        if not any(network.subnet_of(wider) for wider in kept):
            kept.append(network)
    return [str(n.network_address if n.num_addresses == 1 else n) for n in sorted(kept)]


def _error(flow: dict, reason: str) -> AnsibleFilterError:
    return AnsibleFilterError(f"firewall_flows, {flow.get('name', flow)!r}: {reason}")


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"flows_for_host": flows_for_host, "ssh_flow": ssh_flow}
