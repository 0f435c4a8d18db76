"""Tokens, as each release makes them."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import quote

import pytest

from module_utils.graylog.client import GraylogClient
from module_utils.graylog.reconcile import DesiredStateError
from module_utils.graylog.tokens import days_of, period
from module_utils.graylog.users import user_path

USER = {"name": "ada", "first_name": "A", "last_name": "B", "email": "a@b.example", "user_password": "long enough 1"}
TOKEN = {"user": "ada", "name": "render / service"}


@pytest.fixture
def ada(played):
    played.run("graylog_user", **USER, roles=["Admin"])
    return played.users.by_name("ada")


def test_a_token_is_made_once_and_told_once(played, ada):
    made = played.settles("graylog_token", **TOKEN, lifetime="90")
    assert made["actions"] == ["created"]
    assert played.users.who((made["token"], "token")) == "ada"
    again = played.run("graylog_token", **TOKEN)
    assert made["token"] not in json.dumps(again)
    assert again["token_id"] == made["token_id"]


def test_a_lifetime_counts_where_the_release_knows_one(played, ada):
    answer = played.run("graylog_token", **TOKEN, lifetime="P90D")
    if played.release.has("tokens end"):
        assert answer["expires_at"][:10] == played.now(timedelta(days=90).total_seconds())[:10]
        assert "lifetime" not in json.dumps(answer.get("warnings"))
    else:
        assert answer["expires_at"] is None
        assert "ignores the lifetime" in json.dumps(answer["warnings"])


def test_a_token_that_ends_soon_is_replaced(played, ada):
    old = played.run("graylog_token", **TOKEN, lifetime="20")
    new = played.settles("graylog_token", **TOKEN, lifetime="90", renew_before=30)
    if not played.release.has("tokens end"):
        assert new["actions"] == []
        return
    assert new["actions"] == ["updated"]
    assert new["diff"]["before"]["ends"] == "too soon"
    assert played.users.who((new["token"], "token")) == "ada"
    assert played.users.who((old["token"], "token")) is None, "the old one is gone"


def test_absent_takes_all_of_the_name(played, ada):
    client = GraylogClient(played.opener, "http://127.0.0.1", *played.admin)
    for _time in range(2):
        client.request("POST", f"{user_path(client, ada)}/tokens/{quote(TOKEN['name'], safe='')}", {})
    played.run("graylog_token", user="ada", name="another")
    assert played.settles("graylog_token", **TOKEN, state="absent")["actions"] == ["deleted"]
    assert [token["name"] for token in played.tokens.items[ada["id"]]] == ["another"]


def test_a_user_who_is_not_there_yet(played):
    assert played.run("graylog_token", **TOKEN, state="absent")["changed"] is False
    assert played.run("graylog_token", check=True, **TOKEN)["changed"] is True
    assert "create the user first" in played.run("graylog_token", **TOKEN)["msg"]
    assert played.writes == []


def test_a_lifetime_shorter_than_the_renewal_is_refused(played, ada):
    answer = played.run("graylog_token", **TOKEN, lifetime="P30D", renew_before=30)
    assert "replaced in every run" in answer["msg"]


@pytest.mark.parametrize(("text", "days"), [("30", 30), ("P30D", 30), ("P2W", 14), ("P1Y2M", 425), ("PT36H", 1.5)])
def test_lifetimes(text, days):
    assert days_of(period(text)) == days


@pytest.mark.parametrize("text", ["P", "PT", "30D", "soon", "P1D2", ""])
def test_what_is_no_lifetime(text):
    with pytest.raises(DesiredStateError, match="is not a lifetime"):
        period(text)
