"""Filter that checks the names and addresses of an inventory."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

# A label of RFC 1123. Django and certificates refuse other host names.
LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
NO_HOST_NAME = "is no host name; use letters, digits, hyphens and dots"


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Return whether a text is a host name as in RFC 1123, with or without a domain."""
    return len(text) <= 253 and all(LABEL.fullmatch(label) for label in text.split("."))


def group_faults(groups: Mapping, required: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (host, place, fix) for each required group without a host."""
    for group in required:
        if not groups.get(group):
            yield "inventory", f"group {group}", "has no host; add one, as inventories/example/hosts.yml shows"


def host_faults(hosts: list[str], hostvars: Mapping, managed: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (host, place, fix) for names that no service accepts, and for missing, malformed and shared addresses."""
    owners: dict[str, str] = {}
    for host in sorted(hosts):
        if host in managed and not is_host_name(host):
            yield host, "its name", NO_HOST_NAME
        address = str(hostvars[host].get("ansible_host", ""))
        place = f"ansible_host {address or 'is missing'}"
        if not is_address(address):
            yield host, place, "set the host's IP address; the firewall is generated from it"
        elif owners.setdefault(address, host) != host:
            yield host, place, f"is also the address of {owners[address]}; a host in several groups has one name"


def network_faults(host: str, variables: Mapping) -> Iterator[tuple[str, str, str]]:
    """Yield (host, place, fix) for each value that is no network."""
    for name in ("cluster_networks", "operator_networks"):
        networks = variables.get(name, [])
        if networks == "any":
            continue
        for network in [networks] if isinstance(networks, str) else networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                yield host, name, f"{error}; write address/prefix, for example 192.0.2.0/24"


def url_faults(variables: Mapping, groups: Mapping, https_port: int) -> Iterator[tuple[str, str]]:
    """Yield (place, fix) for the public addresses of the web pages and of Graylog."""
    names = variables.get("django_allowed_hosts", [])
    for name in names:
        if not is_host_name(name.removeprefix(".")) and not is_address(name):
            yield "django_allowed_hosts", f"{name}: {NO_HOST_NAME}"
    pages = {*groups["web"], *names}
    shared = set(groups["graylog"]) & set(groups["web"])
    for setting in ("django_public_url", "graylog_external_uri"):
        if setting not in variables:
            yield setting, "is missing; set it, like https://host/"
            continue
        url = variables[setting]
        host, place = urlsplit(url).hostname, f"{setting} {url}"
        if urlsplit(url).scheme != "https" or not host:
            yield place, "must look like https://host or https://host:port"
        elif not is_host_name(host) and not is_address(host):
            yield place, NO_HOST_NAME
        elif setting == "graylog_external_uri" and shared and host in pages:
            yield place, "is a name of the web pages; on the same host Graylog needs a name of its own"
        elif setting == "django_public_url" and host not in pages:
            yield place, f"the pages answer to {', '.join(sorted(pages))}; add {host} to django_allowed_hosts"
        elif setting == "django_public_url" and (urlsplit(url).port or 443) != https_port:
            yield place, f"nginx listens on port {https_port}; correct the URL, or set nginx_https_port"


def group_and_address_faults(hostvars: Mapping, groups: Mapping, required: list[str]) -> list[dict]:
    """Return the faults of groups, host names and addresses of an inventory: [{host, place, fix}].

    hostvars: variables by host. groups: hosts by group. required: groups that need a host.
    """
    faults = [*group_faults(groups, required), *host_faults(groups["all"], hostvars, groups.get("managed", []))]
    return as_rows(faults)


def public_faults(hostvars: Mapping, groups: Mapping, https_port: int) -> list[dict]:
    """Return the faults of networks and public URLs: [{host, place, fix}].

    https_port: port of the web pages. A value of `hostvars` has no access to other hosts, so the caller computes it.
    """
    host = groups["web"][0]
    urls = url_faults(hostvars[host], groups, https_port)
    return as_rows([*network_faults(host, hostvars[host]), *((host, *fault) for fault in urls)])


def as_rows(faults: list[tuple[str, str, str]]) -> list[dict]:
    """Return (host, place, fix) as dictionaries."""
    return [dict(zip(("host", "place", "fix"), fault, strict=True)) for fault in faults]


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"group_and_address_faults": group_and_address_faults, "public_faults": public_faults}
