"""The one table of flows, seen from one host: who may reach which of its ports."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from ansible.errors import AnsibleFilterError

# A flow's name ends up as a comment in nftables' language, inside quotes.
NAME = re.compile(r"[A-Za-z0-9 _.,:;'()/+-]{1,120}")


def flows_for_host(flows: list[dict], group_names: list[str], groups: dict, addresses: dict[str, str]) -> list[dict]:
    """Return what may come in to a host, one dict for each flow that ends at one of its groups and begins anywhere.

    Each has `name`, `ports` (sorted numbers), `any` (whoever asks), `ipv4` and `ipv6` (sorted addresses and networks).
    A flow's `from` is "any", a group, a network or a list of these; `to` is a group; `ports` are numbers.
    Raises AnsibleFilterError with the flow's name when a group, an address or a port is not one.
    """
    ours = [flow for flow in flows if _group(flow, "to", flow["to"], groups) in group_names]
    incoming = [_incoming(flow, groups, addresses) for flow in ours]
    return [flow for flow in incoming if flow["any"] or flow["ipv4"] or flow["ipv6"]]


def ssh_flow(addresses: list[str], port: int) -> dict:
    """Return the controllers' way in, in the form of `flows_for_host`, from addresses and networks.

    An IPv6 address may have a zone, as ssh tells it. Raises AnsibleFilterError for what is no address and no network.
    """
    try:
        networks = {ipaddress.ip_network(address.partition("%")[0]) for address in addresses}
    except ValueError as error:
        raise AnsibleFilterError(f"firewall_controller_addresses: {error}") from error
    return _seen_from_host("ssh", [port], networks)


def _incoming(flow: dict, groups: dict, addresses: dict[str, str]) -> dict:
    if not NAME.fullmatch(flow["name"]):
        raise _refusal(flow, "its name may have letters, digits, spaces and _.,:;'()/+- only, at most 120")
    ports = flow["ports"]
    if not ports or not all(_is_port(port) for port in ports):
        raise _refusal(flow, f"its ports must be a list of numbers from 1 to 65535, not {ports!r}")
    sources = [flow["from"]] if isinstance(flow["from"], str) else list(flow["from"])
    networks = {network for source in sources for network in _networks(flow, source, groups, addresses)}
    return _seen_from_host(flow["name"], ports, networks, anybody="any" in sources)


def _seen_from_host(name: str, ports: list[int], networks: set, anybody: bool = False) -> dict:
    return {
        "name": name,
        "ports": sorted(set(ports)),
        "any": anybody,
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
    nowhere = [host for host in hosts if host not in addresses]
    if nowhere:
        raise _refusal(flow, f"no address is known of {', '.join(nowhere)}: set ansible_host in the inventory")
    try:
        return [ipaddress.ip_network(addresses[host]) for host in hosts]
    except ValueError as error:
        raise _refusal(flow, f"the firewall needs addresses, not names: {error}") from error


def _group(flow: dict, key: str, name: str, groups: dict) -> str:
    if name not in groups:
        raise _refusal(
            flow, f"its '{key}' names {name!r}, which is no group of the inventory, no network and not 'any'"
        )
    return name


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def _without_overlap(networks: Iterable) -> list[str]:
    """Leave out what another one holds: nftables refuses a set whose members overlap."""
    kept: list = []
    for network in sorted(networks, key=lambda n: (n.prefixlen, n)):
        if not any(network.subnet_of(wider) for wider in kept):
            kept.append(network)
    return [str(n.network_address if n.num_addresses == 1 else n) for n in sorted(kept)]


def _refusal(flow: dict, reason: str) -> AnsibleFilterError:
    return AnsibleFilterError(f"firewall_flows, {flow.get('name', flow)!r}: {reason}")


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"flows_for_host": flows_for_host, "ssh_flow": ssh_flow}
