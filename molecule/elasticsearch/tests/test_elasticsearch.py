"""Two clusters survive the loss of a node and restart node by node."""

from __future__ import annotations

import time

import httpx
import pytest
from scenario import address_of, connected, deploy, watched

CLUSTERS = {
    "elasticsearch": {"version": "6.8.23", "nodes": {"older", "newer", "third"}},
    "opensearch": {"version": "2.19.3", "nodes": {"opensearch1", "opensearch2"}},
}
NODES = CLUSTERS["elasticsearch"]["nodes"]


def address(host) -> str:
    """Return the address of a host's node."""
    return host.ansible.get_variables()["ansible_host"]


def ask(where: str, path: str, method: str = "GET", body: dict | None = None, timeout: float = 150) -> dict | list:
    """Return a node's JSON response. Raise httpx.HTTPError if the request fails."""
    answer = httpx.request(method, f"http://{where}:9200/{path}", json=body, timeout=timeout)
    return answer.raise_for_status().json()


def wait_for_health(where: str, nodes: int, status: str = "green") -> None:
    """Wait two minutes for a status and a number of nodes; then raise."""
    ask(where, f"_cluster/health?wait_for_status={status}&wait_for_nodes={nodes}&timeout=120s")


def found(where: str) -> set[str]:
    """Return the ids of all documents that a search through one node returns."""
    return {hit["_id"] for hit in ask(where, "probe/_search")["hits"]["hits"]}


@pytest.fixture(name="flavour")
def fixture_flavour(host) -> str:
    return host.ansible.get_variables()["elasticsearch_flavour"]


@pytest.fixture(name="addresses", scope="module")
def fixture_addresses() -> dict[str, str]:
    return {name: address_of(name) for name in NODES}


def test_node_has_the_configured_flavour_and_version(host, flavour):
    version = ask(address(host), "")["version"]
    assert version["number"] == CLUSTERS[flavour]["version"]
    assert version.get("distribution", "elasticsearch") == flavour


def test_node_lists_every_node_of_its_cluster(host, flavour):
    nodes = ask(address(host), "_nodes/jvm")["nodes"].values()
    assert {item["name"] for item in nodes} == CLUSTERS[flavour]["nodes"]
    assert {item["jvm"]["mem"]["heap_init_in_bytes"] for item in nodes} == {512 * 1024**2}


def test_index_is_not_created_automatically(host):
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        ask(address(host), "mistyped/_doc/1", "PUT", {"field": "value"})


@pytest.mark.parametrize(("flavour", "name"), [("elasticsearch", "third"), ("opensearch", "opensearch2")])
def test_node_restarts_after_kill(flavour, name):
    host, process = connected(name), f"$(systemctl show -P MainPID {flavour})"
    with host.sudo():
        before = host.check_output(f"echo {process}")
        host.check_output(f"kill -9 {before}")
        back = f"[[ ! {process} =~ ^(0|{before})$ ]] && </dev/tcp/{address(host)}/9200"
        host.check_output(f"timeout 180 bash -c 'until {back}; do sleep 0.2; done' 2>/dev/null")
    wait_for_health(address(host), len(CLUSTERS[flavour]["nodes"]))


def test_cluster_survives_the_loss_of_its_master(addresses):
    anyone = addresses["older"]
    ask(anyone, "probe", "PUT", {"settings": {"number_of_shards": 3, "number_of_replicas": 1}})
    try:
        ask(anyone, "probe/_doc/before?refresh=true", "PUT", {"field": 1})
        wait_for_health(anyone, 3)
        lost = ask(anyone, "_cat/master?format=json")[0]["node"]
        left = next(addresses[name] for name in NODES if name != lost)
        host = connected(lost, sudo=True)
        host.check_output("systemctl stop elasticsearch")
        try:
            wait_for_health(left, 2, "yellow")
            ask(left, "probe/_doc/without_master?refresh=true", "PUT", {"field": 2})
            assert found(left) == {"before", "without_master"}
        finally:
            host.check_output("systemctl start elasticsearch")
        wait_for_health(left, 3)
        assert found(addresses[lost]) == {"before", "without_master"}
    finally:
        ask(anyone, "probe", "DELETE")


def test_deployment_restarts_changed_nodes_one_at_a_time(addresses):
    changed = {"older", "newer"}
    for name in changed:
        connected(name, sudo=True).check_output("echo '# by hand' >>/etc/default/elasticsearch")
    started = int(time.time())
    with watched({name: f"http://{where}:9200/" for name, where in addresses.items()}) as away:
        deploy()
    for name in changed:
        host = connected(name, sudo=True)
        begun = host.check_output('date +%s -d "$(systemctl show -P ExecMainStartTimestamp elasticsearch)"')
        assert int(begun) >= started, f"{name} has not been restarted"
    assert set().union(*away) == changed
    assert max(map(len, away)) == 1
