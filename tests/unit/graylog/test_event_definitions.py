"""Test the module for event definitions with each release."""

from __future__ import annotations

import pytest

TITLE = "Errors of a host"
MAIL = {"type": "email-notification-v1", "subject": "s", "sender": "a@b.example", "email_recipients": ["a@b.example"]}
DEFINITION = {
    "title": TITLE,
    "query": "level:<=3",
    "streams": ["Default Stream"],
    "group_by": ["source"],
    "condition": {"function": "count", "is": ">", "value": 10},
    "search_within": 300,
    "execute_every": 60,
    "notifications": ["Operators"],
    "notification_settings": {"grace_period_ms": 600000, "backlog_size": 5},
}


@pytest.fixture
def alerting(graylog):
    """Return the stand-in with the notification of the definitions."""
    graylog.run("graylog_event_notification", title="Operators", config=MAIL)
    return graylog


def stored(graylog, title: str = TITLE) -> dict:
    return next(item for item in graylog.definitions.items.values() if item["title"] == title)


def test_definition_is_created_updated_and_deleted(alerting):
    created = alerting.converge("graylog_event_definition", **DEFINITION)
    assert created["actions"] == ["created"]
    assert created["event_definition"]["enabled"] is True
    config = stored(alerting)["config"]
    assert config["streams"] == ["000000000000000000000001"]
    assert (config["search_within_ms"], config["execute_every_ms"]) == (300000, 60000)
    word = "type" if alerting.release.number >= (5, 2) else "function"
    assert config["series"] == [{"id": "count-", word: "count", "field": None}]
    (number,) = alerting.notifications.items
    assert stored(alerting)["notifications"] == [{"notification_id": number, "notification_parameters": None}]
    assert created["diff"]["after"]["config"]["condition"] == "count() > 10"
    assert created["diff"]["after"]["notifications"] == ["Operators"]
    changed = alerting.converge("graylog_event_definition", title=TITLE, query="level:<=2", priority=3)
    assert changed["diff"]["before"] == {"title": TITLE, "priority": 2, "config": {"query": "level:<=3"}}
    kept = {**stored(alerting)["config"], "query": ""}
    assert kept == {**config, "query": ""}, "omitted settings stay"
    assert stored(alerting)["notification_settings"] == DEFINITION["notification_settings"]
    assert len(stored(alerting)["notifications"]) == 1
    assert alerting.converge("graylog_event_definition", title=TITLE, state="absent")["actions"] == ["deleted"]


def test_definition_is_enabled_and_disabled_without_update(alerting):
    alerting.converge("graylog_event_definition", **DEFINITION, enabled=False)
    item = stored(alerting)
    assert alerting.definitions.scheduled[item["id"]] is False
    alerting.converge("graylog_event_definition", title=TITLE, query="*")
    assert alerting.definitions.scheduled[item["id"]] is False, "omitted settings stay"
    before = len(alerting.writes)
    assert alerting.converge("graylog_event_definition", title=TITLE, enabled=True)["actions"] == ["updated"]
    assert alerting.writes[before:] == [("PUT", f"/events/definitions/{item['id']}/schedule")]
    alerting.converge("graylog_event_definition", title=TITLE, enabled=False)
    assert alerting.definitions.scheduled[item["id"]] is False


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"function": "avg", "field": "took_ms", "is": ">=", "value": 2.5}, "avg(took_ms) >= 2.5"),
        ({"is": "==", "value": 0}, "count() == 0"),
    ],
)
def test_condition_is_compared_in_readable_form(alerting, condition, words):
    alerting.run("graylog_event_definition", **DEFINITION)
    changed = alerting.converge("graylog_event_definition", title=TITLE, condition=condition)
    assert changed["diff"]["before"]["config"] == {"condition": "count() > 10"}
    assert changed["diff"]["after"]["config"] == {"condition": words}


def test_definition_accepts_graylogs_own_format(alerting):
    word = "type" if alerting.release.number >= (5, 2) else "function"
    both = {"expr": "&&", "left": {"expr": "true"}, "right": {"expr": "true"}}
    config = {
        "type": "aggregation-v1",
        "query": "*",
        "series": [{"id": "a", word: "count", "field": None}],
        "conditions": {"expression": both},
    }
    alerting.converge("graylog_event_definition", title="raw", config=config, streams=[], search_within=60)
    assert stored(alerting, "raw")["config"]["conditions"]["expression"] == both
    assert stored(alerting, "raw")["config"]["execute_every_ms"] == 300000
    changed = alerting.converge("graylog_event_definition", title="raw", condition={"is": "<", "value": 1})
    assert "&&" in changed["diff"]["before"]["config"]["condition"]


def test_definition_without_aggregation_has_event_limit(alerting):
    alerting.converge("graylog_event_definition", title="each", query="level:0", streams=[])
    assert stored(alerting, "each")["config"]["series"] == []
    alerting.converge("graylog_event_definition", title="each", query="level:1")
    limit = stored(alerting, "each")["config"].get("event_limit")
    assert limit == (100 if alerting.release.number >= (5, 2) else None)


def test_definition_has_fields_and_keys(alerting):
    provider = {"type": "template-v1", "template": "${source.source}"}
    spec = {"host": {"data_type": "string", "providers": [provider]}}
    alerting.converge("graylog_event_definition", **DEFINITION, field_spec=spec, key_spec=["host"])
    # The server adds the defaults of a provider.
    stored(alerting)["field_spec"]["host"]["providers"][0]["require_values"] = False
    alerting.converge("graylog_event_definition", title=TITLE, field_spec=spec)
    fewer = alerting.converge("graylog_event_definition", title=TITLE, field_spec={}, key_spec=[])
    assert list(fewer["diff"]["before"]["field_spec"]) == ["host"]
    assert stored(alerting)["field_spec"] == {}


def test_definition_needs_existing_references(alerting):
    for desired, words in (({"streams": ["Nothing"]}, "stream 'Nothing'"), ({"notifications": ["Nobody"]}, "'Nobody'")):
        before = len(alerting.writes)
        planned = alerting.run("graylog_event_definition", check=True, **{**DEFINITION, **desired})
        assert planned["changed"] is True
        answer = alerting.run("graylog_event_definition", **{**DEFINITION, **desired})
        assert words in answer["msg"]
        assert "create it first" in answer["msg"]
        assert len(alerting.writes) == before


def test_built_in_definition_is_refused(graylog):
    if graylog.release.number < (4, 3):
        # Releases before 4.3 have no built-in definition, so the title is free.
        answer = graylog.run("graylog_event_definition", check=True, title="System notification events", query="*")
        assert answer["actions"] == ["created"]
        return
    for arguments in ({"priority": 3}, {"state": "absent"}):
        answer = graylog.run("graylog_event_definition", title="System notification events", **arguments)
        assert "built into Graylog" in answer["msg"]
    assert graylog.writes == []


def test_condition_needs_field_of_function(graylog):
    answer = graylog.run("graylog_event_definition", title="x", condition={"function": "max", "is": ">", "value": 1})
    assert "max needs a field" in answer["msg"]


def test_server_error_is_reported(alerting):
    answer = alerting.run("graylog_event_definition", **{**DEFINITION, "search_within": -1})
    assert "must be greater than 0" in answer["msg"]
