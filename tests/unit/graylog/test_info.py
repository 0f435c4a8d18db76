"""What a Graylog tells of itself."""

from __future__ import annotations

import pytest

from module_utils.graylog.client import GraylogClient
from module_utils.graylog.overview import PARTS, journal
from tests.unit.graylog.standin import StandIn


def test_all_parts_are_told_and_nothing_is_written(played):
    answer = played.run("graylog_info", check=True, gather=list(PARTS))
    assert set(PARTS) <= set(answer)
    assert answer["version"] == played.release.full
    assert (answer["node"]["node_id"], answer["node"]["lb_status"]) == (played.node_id, "alive")
    assert answer["nodes"][0]["is_leader"] is True
    assert answer["journal"]["fill"] == 0
    assert (answer["indexer"]["health"], answer["indexer"]["write_index"]) == ("green", "graylog_0")
    assert "Default index set" in [each["title"] for each in answer["index_sets"]]
    assert {"title": "Default Stream", "running": True, "is_default": True}.items() <= next(
        each for each in answer["streams"] if each["is_default"]
    ).items()
    assert played.writes == []


def test_inputs_are_counted_by_state(played):
    body = {
        "type": "org.graylog2.inputs.gelf.tcp.GELFTCPInput",
        "global": True,
        "node": None,
        "static_fields": {},
        "attributes": {"port": 1},
    }
    for number, (title, state) in enumerate((("One", "RUNNING"), ("Two", "FAILED"), ("Three", None))):
        played.inputs.items[str(number)] = {"id": str(number), "title": title, **body}
        if state:
            played.states.put_up(str(number), state)
    answer = played.run("graylog_info", gather=["inputs"])
    assert answer["inputs"] == {"total": 3, "states": {"RUNNING": 1, "FAILED": 1}, "not_running": ["Three", "Two"]}
    assert "journal" not in answer


@pytest.mark.parametrize(("size", "limit", "fill"), [(50, 200, 0.25), (0, 0, None), (None, 200, None)])
def test_the_journals_fill(monkeypatch, size, limit, fill):
    server = StandIn("7.1.7")
    client = GraylogClient(server.opener, "http://127.0.0.1", *server.admin)
    told = {**client.request("GET", "/system/journal"), "journal_size": size, "journal_size_limit": limit}
    monkeypatch.setattr(client, "request", lambda _method, _path: told)
    assert journal(client)["fill"] == fill
