"""Test that only the ports of firewall_flows are open from the boot on."""

import shlex

import pytest
from scenario import connected

OTHER = {"older": "newer", "newer": "older"}
PORTS = [22, *range(8001, 8008)]

# Try all ports at once and print those that answered. Closed ports drop packets, so each takes the whole timeout.
PROBE = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def answers(port):
    try:
        with socket.create_connection((sys.argv[1], port), 3) as connection:
            return port == 22 or not connection.sendall(b"?") and connection.recv(1) == b"?"
    except OSError:
        return False
ports = [int(port) for port in sys.argv[2:]]
with ThreadPoolExecutor(len(ports)) as pool:
    print(*[port for port, open in zip(ports, pool.map(answers, ports)) if open])
"""
SEND = """
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect((sys.argv[1], int(sys.argv[2])))
for _ in range(2):
    sender.send(b"?")
"""


def python(program: str, *arguments) -> str:
    """Return the command line that runs Python code with arguments."""
    return shlex.join(["python3", "-c", program, *map(str, arguments)])


def answering(host, address: str) -> set[int]:
    """Return the ports of PORTS at an address that answer to `host`."""
    return {int(port) for port in host.check_output(python(PROBE, address, *PORTS)).split()}


@pytest.fixture
def other(host):
    """Return the other host of the scenario; its `address` is an IPv4 address."""
    name = OTHER[host.check_output("hostname")]
    there = connected(name)
    there.address = there.ansible.get_variables()["ansible_host"]
    return there


def test_other_host_reaches_the_ports_of_its_flows_only(host, other):
    assert answering(host, other.address) == {8001, 8002, 8003}


def test_other_host_reaches_the_ports_of_its_flows_over_ipv6(host, other):
    assert answering(host, "fd00:77::" + other.address.split(".")[-1]) == {8003, 8005}


def test_host_reaches_all_its_own_ports(host):
    assert answering(host, "127.0.0.1") == set(PORTS)


@pytest.mark.parametrize(("port", "sent"), [(12201, False), (123, True)])
def test_outgoing_udp_is_rejected_except_for_network_services(host, other, port, sent):
    assert (host.run(python(SEND, other.address, port)).rc == 0) is sent


def test_reload_keeps_connections_and_foreign_rules(host, other):
    with other.sudo():
        other.check_output("systemctl reload raycrafter-firewall")
        assert "table inet foreign" in other.check_output("nft list tables").splitlines()
    goes_on = "n=$(cat /run/held); until [ $(cat /run/held) -gt $((n + 5)) ]; do sleep 0.1; done"
    host.check_output(f"timeout 20 bash -c '{goes_on}'")


@pytest.mark.parametrize("unit", ["raycrafter-firewall", "nftables"])
def test_rules_are_loaded_again_after_a_flush(host, other, unit):
    with other.sudo():
        other.check_output("nft flush ruleset")
        assert 8007 in answering(host, other.address)
        other.check_output(f"systemctl restart {unit}")
    assert answering(host, other.address) == {8001, 8002, 8003}
