"""Test the module for event notifications with each release."""

from __future__ import annotations

import json

URL = "https://tickets.example.org/hook"
HTTP = {"title": "Tickets", "config": {"type": "http-notification-v1", "url": URL}}
MAIL = {
    "title": "Operators",
    "description": "By mail",
    "config": {
        "type": "email-notification-v1",
        "sender": "graylog@example.org",
        "subject": "Graylog",
        "email_recipients": ["operators@example.org"],
    },
}


def stored(graylog, title: str) -> dict:
    return next(item for item in graylog.notifications.items.values() if item["title"] == title)


def allow(graylog, value: str, kind: str) -> None:
    entry = {"id": "1", "title": "t", "value": value, "type": kind}
    graylog.settings.stored[graylog.settings.list_class] = {"entries": [entry], "disabled": False}


def test_notification_is_created_updated_and_deleted(graylog):
    created = graylog.converge("graylog_event_notification", **MAIL)
    assert created["actions"] == ["created"]
    assert created["notification"]["type"] == "email-notification-v1"
    config = {"type": "email-notification-v1", "subject": "Trouble"}
    changed = graylog.converge("graylog_event_notification", title="Operators", config=config)
    assert changed["diff"]["before"]["config"]["subject"] == "Graylog"
    assert stored(graylog, "Operators")["description"] == "By mail", "omitted settings stay"
    assert stored(graylog, "Operators")["config"]["email_recipients"] == ["operators@example.org"]
    assert graylog.converge("graylog_event_notification", title="Operators", state="absent")["actions"] == ["deleted"]
    assert graylog.notifications.items == {}


def test_secret_is_written_once_and_never_shown(graylog):
    secrets = {"basic_auth": "graylog:hunter2x"}
    if graylog.release.number < (4, 0):
        refused = graylog.run("graylog_event_notification", **HTTP, secrets=secrets)["msg"]
        assert "Unable to map property basic_auth" in refused
        return
    created = graylog.converge("graylog_event_notification", **HTTP, secrets=secrets)
    assert stored(graylog, "Tickets")["config"]["basic_auth"] == "graylog:hunter2x"
    changed = graylog.converge("graylog_event_notification", **HTTP, secrets=secrets, description="new")
    assert stored(graylog, "Tickets")["config"]["basic_auth"] == "graylog:hunter2x"
    assert "hunter2x" not in json.dumps([created["diff"], created["notification"], changed["diff"]])
    other = {"basic_auth": "graylog:hunter3y"}
    answer = graylog.run("graylog_event_notification", **HTTP, secrets=other, update_secrets="always")
    assert answer["actions"] == ["updated"]
    assert stored(graylog, "Tickets")["config"]["basic_auth"] == "graylog:hunter3y"


def test_missing_secret_is_written_once(graylog):
    if graylog.release.number < (4, 0):
        return  # HTTP notifications of this release have no secrets
    graylog.converge("graylog_event_notification", **HTTP, secrets={"api_secret": "first-secret"})
    assert not stored(graylog, "Tickets")["config"].get("basic_auth")
    both = {"basic_auth": "graylog:hunter2x", "api_secret": "other-secret"}
    given = graylog.converge("graylog_event_notification", **HTTP, secrets=both)
    assert given["actions"] == ["updated"]
    config = stored(graylog, "Tickets")["config"]
    assert (config["basic_auth"], config["api_secret"]) == ("graylog:hunter2x", "first-secret")
    assert "hunter2x" not in json.dumps(given)


def test_secret_shown_by_release_is_hidden(graylog):
    config = {"type": "slack-notification-v1", "channel": "#ops"}
    secrets = {"webhook_url": "https://hooks.example.org/T0/secret-part"}
    created = graylog.converge("graylog_event_notification", title="Chat", config=config, secrets=secrets)
    assert stored(graylog, "Chat")["config"]["webhook_url"] == secrets["webhook_url"]
    assert "secret-part" not in json.dumps([created["diff"], created["notification"]])


def test_secret_url_is_updated(graylog):
    desired = {"title": "Hook", "config": {"type": "http-notification-v1"}}
    for number in (1, 2):
        secrets = {"url": f"https://hooks.example.org/key-{number}"}
        answer = graylog.converge("graylog_event_notification", **desired, secrets=secrets)
        assert answer["actions"] == [("created", "updated")[number - 1]]
        assert stored(graylog, "Hook")["config"]["url"] == secrets["url"]
        assert answer["warnings"], "Graylog may not call it yet"
        assert "key-" not in json.dumps(answer)


def test_blocked_url_causes_warning(graylog):
    answer = graylog.converge("graylog_event_notification", **HTTP)
    assert URL in json.dumps(answer["warnings"])
    for value, kind in ((URL, "literal"), (r"^https://tickets\.example\.org/", "regex")):
        allow(graylog, value, kind)
        assert URL not in json.dumps(graylog.run("graylog_event_notification", **HTTP).get("warnings"))
    allow(graylog, "https://other.example.org", "literal")
    assert URL in json.dumps(graylog.run("graylog_event_notification", **HTTP)["warnings"])


def test_notification_type_can_change(graylog):
    graylog.run("graylog_event_notification", **MAIL)
    graylog.converge("graylog_event_notification", title="Operators", config=HTTP["config"])
    assert "subject" not in stored(graylog, "Operators")["config"]


def test_duplicate_title_is_refused(graylog):
    graylog.run("graylog_event_notification", **MAIL)
    graylog.notifications.items["other"] = {**stored(graylog, "Operators"), "id": "other"}
    answer = graylog.run("graylog_event_notification", **MAIL)
    assert "delete all but one" in answer["msg"]


def test_notification_needs_type(graylog):
    answer = graylog.run("graylog_event_notification", title="x", config={"url": URL})
    assert "needs config.type" in answer["msg"]
    double = {**HTTP, "secrets": {"url": "https://x"}}
    assert "both in config and in secrets" in graylog.run("graylog_event_notification", **double)["msg"]
