"""Test the module for roles with each release."""

from __future__ import annotations

OPERATORS = {"name": "Operators", "description": "Look", "permissions": ["streams:read", "dashboards:read"]}


def test_role_is_created_updated_and_deleted(graylog):
    created = graylog.converge("graylog_role", **OPERATORS)
    assert created["actions"] == ["created"]
    assert created["role"]["permissions"] == ["dashboards:read", "streams:read"]
    changed = graylog.converge("graylog_role", name="operators", permissions=["streams:read"])
    assert changed["actions"] == ["updated"]
    assert changed["role"] == {"name": "Operators", "description": "Look", "permissions": ["streams:read"]}
    assert changed["diff"]["before"]["permissions"] == ["dashboards:read", "streams:read"]
    assert graylog.converge("graylog_role", name="Operators", state="absent")["actions"] == ["deleted"]
    assert sorted(graylog.roles.items) == ["admin", "reader"]


def test_role_name_may_have_any_characters(graylog):
    graylog.converge("graylog_role", name="Büro / Nacht", permissions=["streams:read"])
    assert graylog.roles.get("Büro / Nacht")["permissions"] == ["streams:read"]


def test_built_in_role_is_refused(graylog):
    for arguments in ({"permissions": ["streams:read"]}, {"state": "absent"}):
        answer = graylog.run("graylog_role", name="Reader", **arguments)
        assert answer["failed"]
        assert "'Reader' is built into Graylog" in answer["msg"]
    assert graylog.writes == []
