"""Index sets, as each release takes them."""

from __future__ import annotations

import pytest

ROTATION = "org.graylog2.indexer.rotation.strategies."
# What is refused before the server is asked is refused in all releases alike.
AT_THE_ENDS = pytest.mark.parametrize("played", ["3.3.11", "7.1.7"], indirect=True)
JOBS = {
    "index_prefix": "jobs",
    "title": "Jobs",
    "description": "What jobs say",
    "shards": 2,
    "rotation": {"strategy": "time", "period": "P1D"},
    "retention": {"strategy": "delete", "max_indices": 31},
}
LIFETIME = {"strategy": "time_size_optimizing", "lifetime_min": "P60D", "lifetime_max": "P90D"}


def held(played, prefix: str = "jobs") -> dict:
    return next(item for item in played.index_sets.items.values() if item["index_prefix"] == prefix)


def test_an_index_set_is_made_changed_and_deleted(played):
    made = played.settles("graylog_index_set", **JOBS)
    assert made["actions"] == ["created"]
    assert made["index_set"]["rotation"] == JOBS["rotation"]
    assert held(played)["rotation_strategy"]["rotation_period"] == "P1D"
    played.settles("graylog_index_set", index_prefix="jobs", retention={"strategy": "close", "max_indices": 5})
    assert (held(played)["shards"], held(played)["description"]) == (2, "What jobs say"), "what is left open stays"
    assert held(played)["retention_strategy_class"].endswith(".ClosingRetentionStrategy")
    gone = played.settles("graylog_index_set", index_prefix="jobs", state="absent")
    assert gone["actions"] == ["deleted"]
    assert played.writes[-1][1].endswith("?delete_indices=false")


@pytest.mark.parametrize(
    ("wish", "class_name", "kept"),
    [
        ({"strategy": "size", "size": 5368709120}, "SizeBasedRotationStrategy", {"max_size": 5368709120}),
        ({"strategy": "count", "count": 1000000}, "MessageCountRotationStrategy", {"max_docs_per_index": 1000000}),
    ],
)
def test_other_measures_of_an_index(played, wish, class_name, kept):
    played.settles("graylog_index_set", **JOBS)
    played.settles("graylog_index_set", index_prefix="jobs", rotation=wish)
    item = held(played)
    assert item["rotation_strategy_class"] == ROTATION + class_name
    assert item["rotation_strategy"] == {"type": f"{ROTATION}{class_name}Config", **kept}


def test_lifetimes_where_the_release_has_them(played):
    wish = {"index_prefix": "jobs", "rotation": LIFETIME}
    if played.release.number < (5, 1):
        assert "only Graylog 5.1 and later" in played.run("graylog_index_set", **wish)["msg"]
        assert not played.writes
        return
    assert played.settles("graylog_index_set", **wish)["index_set"]["rotation"] == LIFETIME
    if played.release.number >= (6, 1):
        assert held(played)["use_legacy_rotation"] is False
        assert held(played)["data_tiering"]["index_lifetime_max"] == "P90D"


def test_the_default_sets_of_later_releases_are_taken_from_their_tiers_and_back(played):
    before = played.run("graylog_index_set", index_prefix="graylog")["index_set"]["rotation"]
    played.settles("graylog_index_set", index_prefix="graylog", rotation=JOBS["rotation"])
    if played.release.number >= (6, 1):
        assert before == {**LIFETIME, "lifetime_min": "P30D", "lifetime_max": "P40D"}
        assert held(played, "graylog")["use_legacy_rotation"] is True
        played.settles("graylog_index_set", index_prefix="graylog", rotation=before)
        assert held(played, "graylog")["use_legacy_rotation"] is False


def test_old_indices_that_are_closed_are_not_kept_in_tiers(played):
    if played.release.number >= (6, 1):
        retention = {"strategy": "close", "max_indices": 9}
        played.settles("graylog_index_set", index_prefix="jobs", rotation=LIFETIME, retention=retention)
        assert held(played)["use_legacy_rotation"] is True
        played.settles("graylog_index_set", index_prefix="jobs", rotation={**LIFETIME, "lifetime_max": "P80D"})
        assert held(played)["retention_strategy_class"].endswith(".ClosingRetentionStrategy")


def test_an_update_keeps_settings_that_it_does_not_name(played):
    played.settles("graylog_index_set", **JOBS)
    kept = {"field_type_profile": "6b0377a4000000000000ffff"} if played.release.number >= (6, 1) else {}
    held(played).update(kept)
    held(played)["rotation_strategy"]["rotate_empty_index_set"] = True
    played.settles("graylog_index_set", index_prefix="jobs", title="Work")
    body = played.requests[[method for method, _path, _body in played.requests].index("PUT")][2]
    assert kept.items() <= body.items()
    assert held(played)["rotation_strategy"]["rotate_empty_index_set"] is True


def test_the_default_is_handed_over(played):
    assert played.settles("graylog_index_set", **JOBS, default=True)["diff"]["after"]["default"] is True
    assert played.index_sets.default == held(played)["id"]
    for arguments in ({"default": False}, {"state": "absent"}):
        assert "is the default" in played.run("graylog_index_set", index_prefix="jobs", **arguments)["msg"]
    played.settles("graylog_index_set", index_prefix="graylog", default=True)


@AT_THE_ENDS
@pytest.mark.parametrize("prefix", ["graylog_x", "gray"])
@pytest.mark.parametrize("check", [True, False])
def test_a_prefix_that_begins_as_another(played, prefix, check):
    answer = played.run("graylog_index_set", index_prefix=prefix, check=check)
    assert f"{prefix!r} conflicts with 'graylog' of the index set 'Default index set'" in answer["msg"]
    assert not played.writes


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"index_prefix": "Jobs!"}, "is not a prefix"),
        ({"index_prefix": "graylog", "index_analyzer": "english"}, "cannot be changed"),
        ({"index_prefix": "jobs", "rotation": {"strategy": "time", "period": "1 day"}}, "not a duration of ISO 8601"),
        ({"index_prefix": "graylog", "writable": False}, "default and not writable"),
        ({"index_prefix": "gl-events", "default": True}, "reserved for Graylog"),
    ],
)
@AT_THE_ENDS
def test_what_cannot_be(played, wish, words):
    assert words in played.run("graylog_index_set", **wish)["msg"]
    assert not played.writes


@AT_THE_ENDS
def test_an_index_set_that_a_stream_uses_is_not_deleted(played):
    assert (
        "used by the streams All events"
        in played.run("graylog_index_set", index_prefix="gl-events", state="absent")["msg"]
    )
    assert not played.writes


@AT_THE_ENDS
def test_indices_are_deleted_only_when_asked(played):
    played.run("graylog_index_set", **JOBS)
    played.run("graylog_index_set", index_prefix="jobs", state="absent", delete_indices=True)
    assert played.writes[-1] == ("DELETE", played.writes[-1][1])
    assert played.writes[-1][1].endswith("?delete_indices=true")
