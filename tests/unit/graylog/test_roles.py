"""Roles, as each release takes them."""

from __future__ import annotations

OPERATORS = {"name": "Operators", "description": "Look", "permissions": ["streams:read", "dashboards:read"]}


def test_a_role_is_made_changed_and_deleted(played):
    made = played.settles("graylog_role", **OPERATORS)
    assert made["actions"] == ["created"]
    assert made["role"]["permissions"] == ["dashboards:read", "streams:read"]
    changed = played.settles("graylog_role", name="operators", permissions=["streams:read"])
    assert changed["actions"] == ["updated"]
    assert changed["role"] == {"name": "Operators", "description": "Look", "permissions": ["streams:read"]}
    assert changed["diff"]["before"]["permissions"] == ["dashboards:read", "streams:read"]
    assert played.settles("graylog_role", name="Operators", state="absent")["actions"] == ["deleted"]
    assert sorted(played.roles.items) == ["admin", "reader"]


def test_a_name_may_have_any_letters(played):
    played.settles("graylog_role", name="Büro / Nacht", permissions=["streams:read"])
    assert played.roles.get("Büro / Nacht")["permissions"] == ["streams:read"]


def test_a_role_of_graylogs_own_is_left_alone(played):
    for arguments in ({"permissions": ["streams:read"]}, {"state": "absent"}):
        answer = played.run("graylog_role", name="Reader", **arguments)
        assert answer["failed"]
        assert "'Reader' is built into Graylog" in answer["msg"]
    assert played.writes == []
