"""Test the conversion of the table of flows to the rules of one host."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from network import flows_for_host, ssh_flow

GROUPS = {"web": ["m1"], "workers": ["w1", "w2"], "managed": ["m1", "w1", "w2"], "empty": [], "elsewhere": ["x1"]}
ADDRESSES = {"m1": "10.0.0.1", "w1": "10.0.0.9", "w2": "fd00::2", "x1": "x1.example"}


def incoming(source, **changes) -> list[dict]:
    flow = {"name": "A flow", "from": source, "to": "web", "ports": [443, 80]} | changes
    return flows_for_host([flow], ["web", "managed"], GROUPS, ADDRESSES)


def test_flow_to_another_group_is_left_out():
    assert incoming("any", to="workers") == []


def test_source_any_allows_every_address():
    assert incoming("any") == [{"name": "A flow", "ports": [80, 443], "any": True, "ipv4": [], "ipv6": []}]


@pytest.mark.parametrize("source", ["workers", ["workers"]])
def test_group_becomes_the_addresses_of_its_hosts(source):
    (flow,) = incoming(source)
    assert (flow["any"], flow["ipv4"], flow["ipv6"]) == (False, ["10.0.0.9"], ["fd00::2"])


def test_networks_and_groups_are_merged_without_overlap():
    (flow,) = incoming(["managed", "10.0.0.8/29", "192.0.2.0/24"])
    assert flow["ipv4"] == ["10.0.0.1", "10.0.0.8/29", "192.0.2.0/24"]


def test_any_in_a_list_allows_every_address():
    assert incoming(["any", "workers"])[0]["any"] is True


@pytest.mark.parametrize("source", ["empty", []])
def test_flow_without_a_source_opens_nothing(source):
    assert incoming(source) == []


@pytest.mark.parametrize(
    ("source", "changes", "reason"),
    [
        ("wokers", {}, "wokers"),
        ("10.0.0.9/24", {}, "10.0.0.9/24"),
        ("any", {"to": "wbe"}, "wbe"),
        ("any", {"ports": []}, "ports"),
        ("any", {"ports": [0]}, "ports"),
        ("any", {"ports": [True]}, "ports"),
        ("any", {"ports": ["80; flush ruleset"]}, "ports"),
        ("any", {"name": 'x" accept'}, "its name"),
        ("any", {"name": "x\ny"}, "its name"),
        ("elsewhere", {}, "x1.example"),
    ],
)
def test_invalid_flow_is_refused(source, changes, reason):
    with pytest.raises(AnsibleFilterError, match=reason) as refusal:
        incoming(source, **changes)
    assert "firewall_flows" in str(refusal.value)


def test_host_without_an_address_is_named():
    with pytest.raises(AnsibleFilterError, match=r"w2.*ansible_host"):
        flows_for_host(
            [{"name": "A flow", "from": "workers", "to": "web", "ports": [80]}], ["web"], GROUPS, {"w1": "10.0.0.9"}
        )


def test_ssh_flow_has_the_controllers_networks_without_overlap():
    flow = ssh_flow(["10.0.0.1", "fe80::1%eth0", "10.0.0.0/24", "10.0.0.1"], 2222)
    assert flow == {"name": "ssh", "ports": [2222], "any": False, "ipv4": ["10.0.0.0/24"], "ipv6": ["fe80::1"]}


@pytest.mark.parametrize("address", ["controller.example", "10.0.0.1/24", ""])
def test_controller_without_an_address_is_refused(address):
    with pytest.raises(AnsibleFilterError, match="firewall_controller_addresses"):
        ssh_flow([address], 22)
