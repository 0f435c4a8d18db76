"""Test the module for access tokens with each release."""

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
def ada(graylog):
    graylog.run("graylog_user", **USER, roles=["Admin"])
    return graylog.users.by_name("ada")


def test_token_is_created_and_returned_once(graylog, ada):
    created = graylog.converge("graylog_token", **TOKEN, lifetime="90")
    assert created["actions"] == ["created"]
    assert graylog.users.who((created["token"], "token")) == "ada"
    again = graylog.run("graylog_token", **TOKEN)
    assert created["token"] not in json.dumps(again)
    assert again["token_id"] == created["token_id"]


def test_lifetime_needs_release_support(graylog, ada):
    answer = graylog.run("graylog_token", **TOKEN, lifetime="P90D")
    if graylog.release.has("tokens end"):
        assert answer["expires_at"][:10] == graylog.now(timedelta(days=90).total_seconds())[:10]
        assert "lifetime" not in json.dumps(answer.get("warnings"))
    else:
        assert answer["expires_at"] is None
        assert "ignores the lifetime" in json.dumps(answer["warnings"])


def test_token_that_expires_soon_is_replaced(graylog, ada):
    old = graylog.run("graylog_token", **TOKEN, lifetime="20")
    new = graylog.converge("graylog_token", **TOKEN, lifetime="90", renew_before=30)
    if not graylog.release.has("tokens end"):
        assert new["actions"] == []
        return
    assert new["actions"] == ["updated"]
    assert new["diff"]["before"]["ends"] == "too soon"
    assert graylog.users.who((new["token"], "token")) == "ada"
    assert graylog.users.who((old["token"], "token")) is None, "the old one is gone"


def test_absent_deletes_all_tokens_of_name(graylog, ada):
    client = GraylogClient(graylog.opener, "http://127.0.0.1", *graylog.admin)
    for _time in range(2):
        client.request("POST", f"{user_path(client, ada)}/tokens/{quote(TOKEN['name'], safe='')}", {})
    graylog.run("graylog_token", user="ada", name="another")
    assert graylog.converge("graylog_token", **TOKEN, state="absent")["actions"] == ["deleted"]
    assert [token["name"] for token in graylog.tokens.items[ada["id"]]] == ["another"]


def test_token_of_missing_user_is_refused_except_in_check_mode(graylog):
    assert graylog.run("graylog_token", **TOKEN, state="absent")["changed"] is False
    assert graylog.run("graylog_token", check=True, **TOKEN)["changed"] is True
    assert "create the user first" in graylog.run("graylog_token", **TOKEN)["msg"]
    assert graylog.writes == []


def test_lifetime_shorter_than_renewal_is_refused(graylog, ada):
    answer = graylog.run("graylog_token", **TOKEN, lifetime="P30D", renew_before=30)
    assert "replaced in every run" in answer["msg"]


@pytest.mark.parametrize(("text", "days"), [("30", 30), ("P30D", 30), ("P2W", 14), ("P1Y2M", 425), ("PT36H", 1.5)])
def test_lifetimes_are_converted_to_days(text, days):
    assert days_of(period(text)) == days


@pytest.mark.parametrize("text", ["P", "PT", "30D", "soon", "P1D2", ""])
def test_invalid_lifetimes_are_refused(text):
    with pytest.raises(DesiredStateError, match="is not a lifetime"):
        period(text)
