"""Test the module for users with each release."""

from __future__ import annotations

import json

import pytest

PASSWORD = "a long password 1"
ADA = {
    "name": "ada",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "roles": ["Reader"],
    "timezone": "Europe/Berlin",
    "user_password": PASSWORD,
}


def stored(graylog) -> dict:
    return graylog.users.by_name("ada")


def test_user_is_created_updated_and_deleted(graylog):
    created = graylog.converge("graylog_user", **ADA)
    assert created["actions"] == ["created"]
    assert (created["user"]["full_name"], created["user"]["timezone"]) == ("Ada Lovelace", "Europe/Berlin")
    assert graylog.users.who(("ada", PASSWORD)) == "ada"
    assert PASSWORD not in json.dumps([created["diff"], created["user"]])
    assert created["diff"]["after"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    changed = graylog.converge("graylog_user", name="ada", first_name="Ada", last_name="King")
    assert changed["actions"] == ["updated"]
    assert (stored(graylog)["full_name"], stored(graylog)["email"]) == ("Ada King", "ada@example.org")
    assert (stored(graylog)["roles"], stored(graylog)["timezone"]) == (["Reader"], "Europe/Berlin"), (
        "omitted settings stay"
    )
    assert graylog.converge("graylog_user", name="ada", state="absent")["actions"] == ["deleted"]
    assert [user["username"] for user in graylog.users.items.values()] == ["admin"]


def test_update_keeps_start_page(graylog):
    graylog.run("graylog_user", **ADA)
    stored(graylog)["startpage"] = {"type": "stream", "id": "000000000000000000000001"}
    graylog.converge("graylog_user", name="ada", email="ada@example.net")
    assert stored(graylog)["startpage"]["type"] == "stream"
    assert stored(graylog)["timezone"] == "Europe/Berlin"


def test_roles_are_exact_set_by_name(graylog):
    graylog.run("graylog_user", **ADA)
    graylog.run("graylog_role", name="Operators", permissions=["streams:read"])
    answer = graylog.converge("graylog_user", name="ada", roles=["operators"])
    assert answer["diff"]["before"]["roles"] == ["Reader"]
    answer = graylog.run("graylog_user", name="ada", roles=["Nobodies"])
    assert "Nobodies" in answer["msg"]


def test_permissions_exclude_those_of_roles_and_own_account(graylog):
    graylog.run("graylog_user", **ADA)
    graylog.converge("graylog_user", name="ada", permissions=["streams:read", "messages:read"])
    assert sorted(stored(graylog)["permissions"]) == ["messages:read", "streams:read"]
    changed = graylog.converge("graylog_user", name="ada", permissions=[])
    assert "streams:read" in changed["diff"]["before"]["permissions"]
    assert stored(graylog)["permissions"] == []


def test_password_is_rewritten_only_on_request(graylog):
    graylog.run("graylog_user", **ADA)
    graylog.converge("graylog_user", **{**ADA, "user_password": "another long one 2"})
    assert graylog.users.who(("ada", PASSWORD))
    answer = graylog.run("graylog_user", name="ada", user_password="another long one 2", update_password="always")
    assert answer["actions"] == ["updated"]
    assert [path.endswith("/password") for _method, path in graylog.writes] == [False, True]
    assert graylog.users.who(("ada", "another long one 2"))


def test_account_changes_its_own_password(graylog):
    graylog.run("graylog_user", **{**ADA, "roles": ["Admin"]})
    login = {"username": "ada", "password": PASSWORD}
    new = {"name": "ada", "user_password": "another long one 2", "update_password": "always"}
    assert graylog.run("graylog_user", **login, **new)["changed"]
    same = graylog.run("graylog_user", username="ada", password="another long one 2", **new)
    assert not same["changed"], "the login has shown that the password is this one"


def test_weak_password_is_refused_with_server_reason(graylog):
    if not graylog.release.has("password complexity"):
        graylog.converge("graylog_user", **{**ADA, "user_password": "short"})
        return
    answer = graylog.run("graylog_user", **{**ADA, "user_password": "short"})
    assert "at least 6 characters" in answer["msg"]


@pytest.mark.parametrize("arguments", [{"email": "root@example.org"}, {"state": "absent"}])
def test_built_in_administrator_is_refused(graylog, arguments):
    answer = graylog.run("graylog_user", name="admin", **arguments)
    assert "root_username" in answer["msg"]
    assert graylog.writes == []


def test_external_user_is_refused(graylog):
    graylog.run("graylog_user", **ADA)
    stored(graylog)["external"] = True
    assert "external directory" in graylog.run("graylog_user", name="ada", email="x@example.org")["msg"]


def test_new_user_needs_names_email_and_password(graylog):
    answer = graylog.run("graylog_user", name="ada", check=True, roles=["Reader"])
    assert "needs first_name, email, user_password" in answer["msg"]
