"""Definitions of events, as each release takes them."""

from __future__ import annotations

import pytest

TITLE = "Errors of a host"
MAIL = {"type": "email-notification-v1", "subject": "s", "sender": "a@b.example", "email_recipients": ["a@b.example"]}
WISH = {
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
def told(played):
    """The stand-in, with the notification that is used."""
    played.run("graylog_event_notification", title="Operators", config=MAIL)
    return played


def held(played, title: str = TITLE) -> dict:
    return next(item for item in played.definitions.items.values() if item["title"] == title)


def test_a_definition_is_made_changed_and_deleted(told):
    made = told.settles("graylog_event_definition", **WISH)
    assert made["actions"] == ["created"]
    assert made["event_definition"]["enabled"] is True
    config = held(told)["config"]
    assert config["streams"] == ["000000000000000000000001"]
    assert (config["search_within_ms"], config["execute_every_ms"]) == (300000, 60000)
    word = "type" if told.release.number >= (5, 2) else "function"
    assert config["series"] == [{"id": "count-", word: "count", "field": None}]
    (number,) = told.notifications.items
    assert held(told)["notifications"] == [{"notification_id": number, "notification_parameters": None}]
    assert made["diff"]["after"]["config"]["condition"] == "count() > 10"
    assert made["diff"]["after"]["notifications"] == ["Operators"]
    changed = told.settles("graylog_event_definition", title=TITLE, query="level:<=2", priority=3)
    assert changed["diff"]["before"] == {"title": TITLE, "priority": 2, "config": {"query": "level:<=3"}}
    kept = {**held(told)["config"], "query": ""}
    assert kept == {**config, "query": ""}, "what is left open stays"
    assert held(told)["notification_settings"] == WISH["notification_settings"]
    assert len(held(told)["notifications"]) == 1
    assert told.settles("graylog_event_definition", title=TITLE, state="absent")["actions"] == ["deleted"]


def test_a_definition_is_switched_without_another_change(told):
    told.settles("graylog_event_definition", **WISH, enabled=False)
    item = held(told)
    assert told.definitions.scheduled[item["id"]] is False
    told.settles("graylog_event_definition", title=TITLE, query="*")
    assert told.definitions.scheduled[item["id"]] is False, "what is left open stays"
    before = len(told.writes)
    assert told.settles("graylog_event_definition", title=TITLE, enabled=True)["actions"] == ["updated"]
    assert told.writes[before:] == [("PUT", f"/events/definitions/{item['id']}/schedule")]
    told.settles("graylog_event_definition", title=TITLE, enabled=False)
    assert told.definitions.scheduled[item["id"]] is False


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"function": "avg", "field": "took_ms", "is": ">=", "value": 2.5}, "avg(took_ms) >= 2.5"),
        ({"is": "==", "value": 0}, "count() == 0"),
    ],
)
def test_a_condition_is_compared_in_a_persons_words(told, condition, words):
    told.run("graylog_event_definition", **WISH)
    changed = told.settles("graylog_event_definition", title=TITLE, condition=condition)
    assert changed["diff"]["before"]["config"] == {"condition": "count() > 10"}
    assert changed["diff"]["after"]["config"] == {"condition": words}


def test_a_definition_in_graylogs_own_words(told):
    word = "type" if told.release.number >= (5, 2) else "function"
    both = {"expr": "&&", "left": {"expr": "true"}, "right": {"expr": "true"}}
    config = {
        "type": "aggregation-v1",
        "query": "*",
        "series": [{"id": "a", word: "count", "field": None}],
        "conditions": {"expression": both},
    }
    told.settles("graylog_event_definition", title="raw", config=config, streams=[], search_within=60)
    assert held(told, "raw")["config"]["conditions"]["expression"] == both
    assert held(told, "raw")["config"]["execute_every_ms"] == 300000
    changed = told.settles("graylog_event_definition", title="raw", condition={"is": "<", "value": 1})
    assert "&&" in changed["diff"]["before"]["config"]["condition"]


def test_each_message_may_be_an_event(told):
    told.settles("graylog_event_definition", title="each", query="level:0", streams=[])
    assert held(told, "each")["config"]["series"] == []
    told.settles("graylog_event_definition", title="each", query="level:1")
    limit = held(told, "each")["config"].get("event_limit")
    assert limit == (100 if told.release.number >= (5, 2) else None)


def test_fields_and_keys(told):
    provider = {"type": "template-v1", "template": "${source.source}"}
    spec = {"host": {"data_type": "string", "providers": [provider]}}
    told.settles("graylog_event_definition", **WISH, field_spec=spec, key_spec=["host"])
    # The server adds what a provider has by default.
    held(told)["field_spec"]["host"]["providers"][0]["require_values"] = False
    told.settles("graylog_event_definition", title=TITLE, field_spec=spec)
    fewer = told.settles("graylog_event_definition", title=TITLE, field_spec={}, key_spec=[])
    assert list(fewer["diff"]["before"]["field_spec"]) == ["host"]
    assert held(told)["field_spec"] == {}


def test_what_a_definition_refers_to_must_be_there_when_it_is_made(told):
    for wish, words in (({"streams": ["Nothing"]}, "stream 'Nothing'"), ({"notifications": ["Nobody"]}, "'Nobody'")):
        before = len(told.writes)
        planned = told.run("graylog_event_definition", check=True, **{**WISH, **wish})
        assert planned["changed"] is True
        answer = told.run("graylog_event_definition", **{**WISH, **wish})
        assert words in answer["msg"]
        assert "create it first" in answer["msg"]
        assert len(told.writes) == before


def test_graylogs_own_definition_is_left_alone(played):
    if played.release.number < (4, 3):
        # There is none yet, so the title is free.
        answer = played.run("graylog_event_definition", check=True, title="System notification events", query="*")
        assert answer["actions"] == ["created"]
        return
    for arguments in ({"priority": 3}, {"state": "absent"}):
        answer = played.run("graylog_event_definition", title="System notification events", **arguments)
        assert "built into Graylog" in answer["msg"]
    assert played.writes == []


def test_a_function_needs_its_field(played):
    answer = played.run("graylog_event_definition", title="x", condition={"function": "max", "is": ">", "value": 1})
    assert "max needs a field" in answer["msg"]


def test_what_the_server_refuses_is_told_in_its_words(told):
    answer = told.run("graylog_event_definition", **{**WISH, "search_within": -1})
    assert "must be greater than 0" in answer["msg"]
