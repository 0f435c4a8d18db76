"""Read the state of a Graylog server that an operator needs."""

from __future__ import annotations

from collections import Counter

from .client import GraylogClient


def node(client: GraylogClient) -> dict:
    """Return the state of the queried node; lb_status is meant for load balancers."""
    answer = client.request("GET", "/system")
    names = ("node_id", "hostname", "lifecycle", "lb_status", "is_processing", "started_at", "timezone")
    # 3.3 has the node's id as server_id.
    return {**{name: answer.get(name) for name in names}, "node_id": answer.get("node_id") or answer.get("server_id")}


def nodes(client: GraylogClient) -> list[dict]:
    """Return the cluster's nodes, sorted by host name."""
    found = [
        {
            **{name: each.get(name) for name in ("node_id", "hostname", "transport_address", "last_seen")},
            # Releases before 4 have is_master.
            "is_leader": each.get("is_leader", each.get("is_master")),
        }
        for each in client.request("GET", "/system/cluster/nodes")["nodes"]
    ]
    return sorted(found, key=lambda each: (each["hostname"] or "", each["node_id"]))


def journal(client: GraylogClient) -> dict:
    """Return the usage of the queried node's journal.

    `fill` is from 0 to 1, None without a limit.
    """
    answer = client.request("GET", "/system/journal")
    limit, size = answer.get("journal_size_limit"), answer.get("journal_size")
    return {
        "enabled": answer["enabled"],
        "uncommitted_entries": answer.get("uncommitted_journal_entries"),
        "size": size,
        "size_limit": limit,
        "fill": round(size / limit, 4) if limit and size is not None else None,
        "oldest_segment": answer.get("oldest_segment"),
    }


def indexer(client: GraylogClient) -> dict:
    """Return the search engine's health and the active write index."""
    answer = client.request("GET", "/system/indexer/overview")
    return {
        "name": answer["indexer_cluster"]["name"],
        "health": answer["indexer_cluster"]["health"]["status"],
        "write_index": answer["deflector"]["current_target"],
    }


def inputs(client: GraylogClient) -> dict:
    """Return the number of inputs, counts of their states, and titles of idle inputs."""
    titles = {each["id"]: each["title"] for each in client.request("GET", "/system/inputs")["inputs"]}
    # An unreachable node has null.
    states = [state for of_node in client.request("GET", "/cluster/inputstates").values() for state in of_node or []]
    down = {state["id"] for state in states if state["state"] != "RUNNING"} | (
        set(titles) - {state["id"] for state in states}
    )
    return {
        "total": len(titles),
        "states": dict(Counter(state["state"] for state in states)),
        "not_running": sorted(titles.get(each, each) for each in down),
    }


def index_sets(client: GraylogClient) -> list[dict]:
    """Return the index sets, sorted by title."""
    names = ("id", "title", "index_prefix", "shards", "replicas", "default", "writable")
    listed = client.request("GET", "/system/indices/index_sets")["index_sets"]
    return sorted(({name: each.get(name) for name in names} for each in listed), key=lambda each: each["title"])


def streams(client: GraylogClient) -> list[dict]:
    """Return the streams, sorted by title."""
    found = [
        {
            **{name: each.get(name) for name in ("id", "title", "index_set_id", "is_default")},
            "running": not each["disabled"],
        }
        for each in client.request("GET", "/streams")["streams"]
    ]
    return sorted(found, key=lambda each: each["title"])


PARTS = {
    "node": node,
    "nodes": nodes,
    "journal": journal,
    "indexer": indexer,
    "inputs": inputs,
    "index_sets": index_sets,
    "streams": streams,
}
