"""Test graylog_info."""

from __future__ import annotations

import pytest

from module_utils.graylog.client import GraylogClient
from module_utils.graylog.overview import PARTS, journal
from tests.unit.graylog.standin import StandIn


def test_info_returns_all_parts_without_writes(graylog):
    answer = graylog.run("graylog_info", check=True, gather=list(PARTS))
    assert set(PARTS) <= set(answer)
    assert answer["version"] == graylog.release.full
    assert (answer["node"]["node_id"], answer["node"]["lb_status"]) == (graylog.node_id, "alive")
    assert answer["nodes"][0]["is_leader"] is True
    assert answer["journal"]["fill"] == 0
    assert (answer["indexer"]["health"], answer["indexer"]["write_index"]) == ("green", "graylog_0")
    assert "Default index set" in [each["title"] for each in answer["index_sets"]]
    assert {"title": "Default Stream", "running": True, "is_default": True}.items() <= next(
        each for each in answer["streams"] if each["is_default"]
    ).items()
    assert graylog.writes == []


def test_inputs_are_counted_by_state(graylog):
    body = {
        "type": "org.graylog2.inputs.gelf.tcp.GELFTCPInput",
        "global": True,
        "node": None,
        "static_fields": {},
        "attributes": {"port": 1},
    }
    for number, (title, state) in enumerate((("One", "RUNNING"), ("Two", "FAILED"), ("Three", None))):
        graylog.inputs.items[str(number)] = {"id": str(number), "title": title, **body}
        if state:
            graylog.states.put_up(str(number), state)
    answer = graylog.run("graylog_info", gather=["inputs"])
    assert answer["inputs"] == {"total": 3, "states": {"RUNNING": 1, "FAILED": 1}, "not_running": ["Three", "Two"]}
    assert "journal" not in answer


@pytest.mark.parametrize(("size", "limit", "fill"), [(50, 200, 0.25), (0, 0, None), (None, 200, None)])
def test_journal_fill_is_computed(monkeypatch, size, limit, fill):
    server = StandIn("7.1.7")
    client = GraylogClient(server.opener, "http://127.0.0.1", *server.admin)
    journal_answer = {**client.request("GET", "/system/journal"), "journal_size": size, "journal_size_limit": limit}
    monkeypatch.setattr(client, "request", lambda _method, _path: journal_answer)
    assert journal(client)["fill"] == fill
