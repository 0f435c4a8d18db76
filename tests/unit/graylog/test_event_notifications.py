"""Notifications of events, as each release takes them."""

from __future__ import annotations

import json

URL = "https://tickets.example.org/hook"
HTTP = {"title": "Tickets", "config": {"type": "http-notification-v1", "url": URL}}
MAIL = {
    "title": "Operators",
    "description": "Told by mail",
    "config": {
        "type": "email-notification-v1",
        "sender": "graylog@example.org",
        "subject": "Graylog",
        "email_recipients": ["operators@example.org"],
    },
}


def held(played, title: str) -> dict:
    return next(item for item in played.notifications.items.values() if item["title"] == title)


def allow(played, value: str, kind: str) -> None:
    entry = {"id": "1", "title": "t", "value": value, "type": kind}
    played.settings.stored[played.settings.list_class] = {"entries": [entry], "disabled": False}


def test_a_notification_is_made_changed_and_deleted(played):
    made = played.settles("graylog_event_notification", **MAIL)
    assert made["actions"] == ["created"]
    assert made["notification"]["type"] == "email-notification-v1"
    config = {"type": "email-notification-v1", "subject": "Trouble"}
    changed = played.settles("graylog_event_notification", title="Operators", config=config)
    assert changed["diff"]["before"]["config"]["subject"] == "Graylog"
    assert held(played, "Operators")["description"] == "Told by mail", "what is left open stays"
    assert held(played, "Operators")["config"]["email_recipients"] == ["operators@example.org"]
    assert played.settles("graylog_event_notification", title="Operators", state="absent")["actions"] == ["deleted"]
    assert played.notifications.items == {}


def test_a_secret_is_written_once_kept_and_never_shown(played):
    secrets = {"basic_auth": "graylog:hunter2x"}
    if played.release.number < (4, 0):
        refused = played.run("graylog_event_notification", **HTTP, secrets=secrets)["msg"]
        assert "Unable to map property basic_auth" in refused
        return
    made = played.settles("graylog_event_notification", **HTTP, secrets=secrets)
    assert held(played, "Tickets")["config"]["basic_auth"] == "graylog:hunter2x"
    changed = played.settles("graylog_event_notification", **HTTP, secrets=secrets, description="new")
    assert held(played, "Tickets")["config"]["basic_auth"] == "graylog:hunter2x"
    assert "hunter2x" not in json.dumps([made["diff"], made["notification"], changed["diff"]])
    other = {"basic_auth": "graylog:hunter3y"}
    answer = played.run("graylog_event_notification", **HTTP, secrets=other, update_secrets="always")
    assert answer["actions"] == ["updated"]
    assert held(played, "Tickets")["config"]["basic_auth"] == "graylog:hunter3y"


def test_a_notification_without_its_secret_gets_it_once(played):
    if played.release.number < (4, 0):
        return  # its notifications by HTTP have no secrets
    played.settles("graylog_event_notification", **HTTP, secrets={"api_secret": "first-secret"})
    assert not held(played, "Tickets")["config"].get("basic_auth")
    both = {"basic_auth": "graylog:hunter2x", "api_secret": "other-secret"}
    given = played.settles("graylog_event_notification", **HTTP, secrets=both)
    assert given["actions"] == ["updated"]
    config = held(played, "Tickets")["config"]
    assert (config["basic_auth"], config["api_secret"]) == ("graylog:hunter2x", "first-secret")
    assert "hunter2x" not in json.dumps(given)


def test_a_secret_that_the_release_shows_is_not_shown_here(played):
    config = {"type": "slack-notification-v1", "channel": "#ops"}
    secrets = {"webhook_url": "https://hooks.example.org/T0/secret-part"}
    made = played.settles("graylog_event_notification", title="Chat", config=config, secrets=secrets)
    assert held(played, "Chat")["config"]["webhook_url"] == secrets["webhook_url"]
    assert "secret-part" not in json.dumps([made["diff"], made["notification"]])


def test_an_address_may_be_a_secret_and_is_changed_all_the_same(played):
    wish = {"title": "Hook", "config": {"type": "http-notification-v1"}}
    for number in (1, 2):
        secrets = {"url": f"https://hooks.example.org/key-{number}"}
        answer = played.settles("graylog_event_notification", **wish, secrets=secrets)
        assert answer["actions"] == [("created", "updated")[number - 1]]
        assert held(played, "Hook")["config"]["url"] == secrets["url"]
        assert answer["warnings"], "Graylog may not call it yet"
        assert "key-" not in json.dumps(answer)


def test_an_address_that_graylog_may_not_call_is_told(played):
    answer = played.settles("graylog_event_notification", **HTTP)
    assert URL in json.dumps(answer["warnings"])
    for value, kind in ((URL, "literal"), (r"^https://tickets\.example\.org/", "regex")):
        allow(played, value, kind)
        assert URL not in json.dumps(played.run("graylog_event_notification", **HTTP).get("warnings"))
    allow(played, "https://other.example.org", "literal")
    assert URL in json.dumps(played.run("graylog_event_notification", **HTTP)["warnings"])


def test_the_kind_of_a_notification_can_change(played):
    played.run("graylog_event_notification", **MAIL)
    played.settles("graylog_event_notification", title="Operators", config=HTTP["config"])
    assert "subject" not in held(played, "Operators")["config"]


def test_two_of_one_title_are_refused(played):
    played.run("graylog_event_notification", **MAIL)
    played.notifications.items["other"] = {**held(played, "Operators"), "id": "other"}
    answer = played.run("graylog_event_notification", **MAIL)
    assert "delete all but one" in answer["msg"]


def test_a_notification_needs_its_type(played):
    answer = played.run("graylog_event_notification", title="x", config={"url": URL})
    assert "needs config.type" in answer["msg"]
    double = {**HTTP, "secrets": {"url": "https://x"}}
    assert "both in config and in secrets" in played.run("graylog_event_notification", **double)["msg"]
