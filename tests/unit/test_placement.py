"""Test the comparison of what hosts hold with the inventory."""

from placement import FILES, holdings, left_groups, moved_data

OLD = {
    "managed": ["a", "b", "c"],
    "web": ["a", "b"],
    "database": ["a"],
    "mongodb": ["a", "b", "c"],
    "elasticsearch": ["c"],
}


def records(groups: dict, *without: str) -> dict:
    """Return variables of hosts on which a deployment of `groups` was completed, except on the hosts `without`."""
    facts = {
        host: {
            "groups": [group for group, hosts in groups.items() if host in hosts],
            "holds": holdings(groups, host),
        }
        for host in groups["managed"]
    }
    return {
        host: {"ansible_facts": {} if host in without else {"ansible_local": {"raycrafter": facts[host]}}}
        for host in facts
    }


def test_unchanged_and_new_hosts_lose_nothing():
    assert moved_data(records(OLD), OLD) == [] == left_groups(records(OLD), OLD)
    assert moved_data(records(OLD, "a", "b", "c"), {**OLD, "database": ["b"]}) == []


def test_data_that_stay_behind_are_named():
    (fault,) = moved_data(records(OLD), {**OLD, "database": ["b"]})
    assert fault.startswith("database: the data are on a, and b would start empty")
    (fault,) = moved_data(records(OLD), {**OLD, "web": ["b", "a"]})
    assert fault.startswith(f"{FILES}: the data are on a, and b would")


def test_cluster_may_lose_a_member():
    now = {**OLD, "mongodb": ["b", "c"]}
    assert moved_data(records(OLD), now) == []
    assert left_groups(records(OLD), now) == ["a: mongodb"]
