"""Users, as each release takes them."""

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


def held(played) -> dict:
    return played.users.by_name("ada")


def test_a_user_is_made_changed_and_deleted(played):
    made = played.settles("graylog_user", **ADA)
    assert made["actions"] == ["created"]
    assert (made["user"]["full_name"], made["user"]["timezone"]) == ("Ada Lovelace", "Europe/Berlin")
    assert played.users.who(("ada", PASSWORD)) == "ada"
    assert PASSWORD not in json.dumps([made["diff"], made["user"]])
    assert made["diff"]["after"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    changed = played.settles("graylog_user", name="ada", first_name="Ada", last_name="King")
    assert changed["actions"] == ["updated"]
    assert (held(played)["full_name"], held(played)["email"]) == ("Ada King", "ada@example.org")
    assert (held(played)["roles"], held(played)["timezone"]) == (["Reader"], "Europe/Berlin"), "what is left open stays"
    assert played.settles("graylog_user", name="ada", state="absent")["actions"] == ["deleted"]
    assert [user["username"] for user in played.users.items.values()] == ["admin"]


def test_an_update_keeps_the_first_page(played):
    played.run("graylog_user", **ADA)
    held(played)["startpage"] = {"type": "stream", "id": "000000000000000000000001"}
    played.settles("graylog_user", name="ada", email="ada@example.net")
    assert held(played)["startpage"]["type"] == "stream"
    assert held(played)["timezone"] == "Europe/Berlin"


def test_roles_are_the_exact_set_and_told_by_name(played):
    played.run("graylog_user", **ADA)
    played.run("graylog_role", name="Operators", permissions=["streams:read"])
    answer = played.settles("graylog_user", name="ada", roles=["operators"])
    assert answer["diff"]["before"]["roles"] == ["Reader"]
    answer = played.run("graylog_user", name="ada", roles=["Nobodies"])
    assert "Nobodies" in answer["msg"]


def test_permissions_are_told_from_those_of_the_roles_and_of_the_own_account(played):
    played.run("graylog_user", **ADA)
    played.settles("graylog_user", name="ada", permissions=["streams:read", "messages:read"])
    assert sorted(held(played)["permissions"]) == ["messages:read", "streams:read"]
    changed = played.settles("graylog_user", name="ada", permissions=[])
    assert "streams:read" in changed["diff"]["before"]["permissions"]
    assert held(played)["permissions"] == []


def test_a_password_is_written_again_only_where_that_is_asked_for(played):
    played.run("graylog_user", **ADA)
    played.settles("graylog_user", **{**ADA, "user_password": "another long one 2"})
    assert played.users.who(("ada", PASSWORD))
    answer = played.run("graylog_user", name="ada", user_password="another long one 2", update_password="always")
    assert answer["actions"] == ["updated"]
    assert [path.endswith("/password") for _method, path in played.writes] == [False, True]
    assert played.users.who(("ada", "another long one 2"))


def test_an_account_changes_its_own_password(played):
    played.run("graylog_user", **{**ADA, "roles": ["Admin"]})
    login = {"username": "ada", "password": PASSWORD}
    new = {"name": "ada", "user_password": "another long one 2", "update_password": "always"}
    assert played.run("graylog_user", **login, **new)["changed"]
    same = played.run("graylog_user", username="ada", password="another long one 2", **new)
    assert not same["changed"], "the login has shown that the password is this one"


def test_a_weak_password_is_refused_in_the_servers_words(played):
    if not played.release.has("password complexity"):
        played.settles("graylog_user", **{**ADA, "user_password": "short"})
        return
    answer = played.run("graylog_user", **{**ADA, "user_password": "short"})
    assert "at least 6 characters" in answer["msg"]


@pytest.mark.parametrize("arguments", [{"email": "root@example.org"}, {"state": "absent"}])
def test_the_built_in_administrator_is_left_alone(played, arguments):
    answer = played.run("graylog_user", name="admin", **arguments)
    assert "root_username" in answer["msg"]
    assert played.writes == []


def test_a_user_of_a_directory_is_left_alone(played):
    played.run("graylog_user", **ADA)
    held(played)["external"] = True
    assert "external directory" in played.run("graylog_user", name="ada", email="x@example.org")["msg"]


def test_a_new_user_needs_names_mail_and_password(played):
    answer = played.run("graylog_user", name="ada", check=True, roles=["Reader"])
    assert "needs first_name, email, user_password" in answer["msg"]
