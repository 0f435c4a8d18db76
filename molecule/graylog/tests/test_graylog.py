"""Two nodes form one Graylog that survives the loss of one node."""

from __future__ import annotations

import secrets

import httpx
import pytest
from graylog_nodes import ADDRESSES, NODES, SECRET, ask, send
from scenario import connected, deploy, wait_for, watched

UNANSWERED = (httpx.HTTPError,)


def finds(name: str, mark: str) -> bool:
    """Return whether a search through a node finds exactly one message with a mark."""
    return ask(name, "search/universal/relative", query=f"mark:{mark}", range=600)["total_results"] == 1


def known_nodes(name: str) -> dict[str, bool]:
    """Return the nodes' addresses that a node lists, and whether each leads."""
    return {item["transport_address"]: item["is_master"] for item in ask(name, "system/cluster/nodes")["nodes"]}


@pytest.fixture(name="mark")
def fixture_mark() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))


@pytest.mark.parametrize("name", NODES)
def test_node_lists_both_nodes_and_one_leader(name):
    known = known_nodes(name)
    assert set(known) == {f"http://{address}:9000/api/" for address in ADDRESSES.values()}
    assert list(known.values()).count(True) == 1


@pytest.mark.parametrize("name", NODES)
def test_node_has_the_configured_sizes(name):
    assert ask(name, "system/journal")["journal_size_limit"] == 1000 * 1024**2
    assert ask(name, "system/jvm")["max_memory"]["bytes"] == 512 * 1024**2


@pytest.mark.parametrize("to", NODES)
def test_message_to_one_node_is_found_through_both(to, mark):
    send(next(name for name in NODES if name != to), to, mark)
    for name in NODES:
        wait_for(f"{name} finds the message", lambda asked=name: finds(asked, mark), failing=UNANSWERED)


def test_node_serves_while_the_leader_is_down(mark):
    leader = next(name for name in NODES if known_nodes("older")[f"http://{ADDRESSES[name]}:9000/api/"])
    left = next(name for name in NODES if name != leader)
    connected(leader, sudo=True).check_output("kill -9 $(systemctl show -P MainPID graylog-server)")
    send(left, left, mark)
    wait_for("the other node finds the message", lambda: finds(left, mark), failing=UNANSWERED)
    with pytest.raises(httpx.HTTPError):  # proves that the leader was still down during the search
        ask(leader, "system/jvm", timeout=1)
    wait_for("the leader runs again and finds the message", lambda: finds(leader, mark), 240, UNANSWERED)
    wait_for("both nodes are listed", lambda: len(known_nodes(left)) == 2, failing=UNANSWERED)
    test_node_lists_both_nodes_and_one_leader(left)


def settings(name: str) -> set[str]:
    """Return the lines of a node's server.conf except the root user's password."""
    lines = connected(name, sudo=True).check_output("cat /etc/graylog/server/server.conf").splitlines()
    return {line for line in lines if not line.startswith("root_password_sha2")}


def test_new_root_password_restarts_one_node_at_a_time():
    old, new = SECRET.read_text().strip(), secrets.token_urlsafe(40)
    before = {name: (ask(name, "system/inputs"), settings(name)) for name in NODES}
    SECRET.write_text(new + "\n")
    with watched({name: f"http://{where}:9000/api/system/lbstatus" for name, where in ADDRESSES.items()}) as away:
        deploy()
    assert set().union(*away) == set(NODES)
    assert max(map(len, away)) == 1
    assert {name: (ask(name, "system/inputs", new), settings(name)) for name in NODES} == before
    for name in NODES:
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            ask(name, "system/inputs", old)
