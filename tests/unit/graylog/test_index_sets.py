"""Test the module for index sets with each release."""

from __future__ import annotations

import pytest

ROTATION = "org.graylog2.indexer.rotation.strategies."
# The module refuses these without a request, so two releases are enough.
AT_THE_ENDS = pytest.mark.parametrize("graylog", ["3.3.11", "7.1.7"], indirect=True)
JOBS = {
    "index_prefix": "jobs",
    "title": "Jobs",
    "description": "What jobs say",
    "shards": 2,
    "rotation": {"strategy": "time", "period": "P1D"},
    "retention": {"strategy": "delete", "max_indices": 31},
}
LIFETIME = {"strategy": "time_size_optimizing", "lifetime_min": "P60D", "lifetime_max": "P90D"}


def stored(graylog, prefix: str = "jobs") -> dict:
    return next(item for item in graylog.index_sets.items.values() if item["index_prefix"] == prefix)


def test_index_set_is_created_updated_and_deleted(graylog):
    created = graylog.converge("graylog_index_set", **JOBS)
    assert created["actions"] == ["created"]
    assert created["index_set"]["rotation"] == JOBS["rotation"]
    assert stored(graylog)["rotation_strategy"]["rotation_period"] == "P1D"
    graylog.converge("graylog_index_set", index_prefix="jobs", retention={"strategy": "close", "max_indices": 5})
    assert (stored(graylog)["shards"], stored(graylog)["description"]) == (2, "What jobs say"), "omitted settings stay"
    assert stored(graylog)["retention_strategy_class"].endswith(".ClosingRetentionStrategy")
    gone = graylog.converge("graylog_index_set", index_prefix="jobs", state="absent")
    assert gone["actions"] == ["deleted"]
    assert graylog.writes[-1][1].endswith("?delete_indices=false")


@pytest.mark.parametrize(
    ("desired", "class_name", "kept"),
    [
        ({"strategy": "size", "size": 5368709120}, "SizeBasedRotationStrategy", {"max_size": 5368709120}),
        ({"strategy": "count", "count": 1000000}, "MessageCountRotationStrategy", {"max_docs_per_index": 1000000}),
    ],
)
def test_rotation_by_size_and_count_is_supported(graylog, desired, class_name, kept):
    graylog.converge("graylog_index_set", **JOBS)
    graylog.converge("graylog_index_set", index_prefix="jobs", rotation=desired)
    item = stored(graylog)
    assert item["rotation_strategy_class"] == ROTATION + class_name
    assert item["rotation_strategy"] == {"type": f"{ROTATION}{class_name}Config", **kept}


def test_lifetimes_need_release_support(graylog):
    desired = {"index_prefix": "jobs", "rotation": LIFETIME}
    if graylog.release.number < (5, 1):
        assert "only Graylog 5.1 and later" in graylog.run("graylog_index_set", **desired)["msg"]
        assert not graylog.writes
        return
    assert graylog.converge("graylog_index_set", **desired)["index_set"]["rotation"] == LIFETIME
    if graylog.release.number >= (6, 1):
        assert stored(graylog)["use_legacy_rotation"] is False
        assert stored(graylog)["data_tiering"]["index_lifetime_max"] == "P90D"


def test_default_sets_leave_and_return_to_tiers(graylog):
    before = graylog.run("graylog_index_set", index_prefix="graylog")["index_set"]["rotation"]
    graylog.converge("graylog_index_set", index_prefix="graylog", rotation=JOBS["rotation"])
    if graylog.release.number >= (6, 1):
        assert before == {**LIFETIME, "lifetime_min": "P30D", "lifetime_max": "P40D"}
        assert stored(graylog, "graylog")["use_legacy_rotation"] is True
        graylog.converge("graylog_index_set", index_prefix="graylog", rotation=before)
        assert stored(graylog, "graylog")["use_legacy_rotation"] is False


def test_closing_retention_excludes_tiers(graylog):
    if graylog.release.number >= (6, 1):
        retention = {"strategy": "close", "max_indices": 9}
        graylog.converge("graylog_index_set", index_prefix="jobs", rotation=LIFETIME, retention=retention)
        assert stored(graylog)["use_legacy_rotation"] is True
        graylog.converge("graylog_index_set", index_prefix="jobs", rotation={**LIFETIME, "lifetime_max": "P80D"})
        assert stored(graylog)["retention_strategy_class"].endswith(".ClosingRetentionStrategy")


def test_update_keeps_unnamed_settings(graylog):
    graylog.converge("graylog_index_set", **JOBS)
    kept = {"field_type_profile": "6b0377a4000000000000ffff"} if graylog.release.number >= (6, 1) else {}
    stored(graylog).update(kept)
    stored(graylog)["rotation_strategy"]["rotate_empty_index_set"] = True
    graylog.converge("graylog_index_set", index_prefix="jobs", title="Work")
    body = graylog.requests[[method for method, _path, _body in graylog.requests].index("PUT")][2]
    assert kept.items() <= body.items()
    assert stored(graylog)["rotation_strategy"]["rotate_empty_index_set"] is True


def test_default_moves_to_another_index_set(graylog):
    assert graylog.converge("graylog_index_set", **JOBS, default=True)["diff"]["after"]["default"] is True
    assert graylog.index_sets.default == stored(graylog)["id"]
    for arguments in ({"default": False}, {"state": "absent"}):
        assert "is the default" in graylog.run("graylog_index_set", index_prefix="jobs", **arguments)["msg"]
    graylog.converge("graylog_index_set", index_prefix="graylog", default=True)


@AT_THE_ENDS
@pytest.mark.parametrize("prefix", ["graylog_x", "gray"])
@pytest.mark.parametrize("check", [True, False])
def test_conflicting_prefix_is_refused(graylog, prefix, check):
    answer = graylog.run("graylog_index_set", index_prefix=prefix, check=check)
    assert f"{prefix!r} conflicts with 'graylog' of the index set 'Default index set'" in answer["msg"]
    assert not graylog.writes


@pytest.mark.parametrize(
    ("desired", "words"),
    [
        ({"index_prefix": "Jobs!"}, "is not a prefix"),
        ({"index_prefix": "graylog", "index_analyzer": "english"}, "cannot be changed"),
        ({"index_prefix": "jobs", "rotation": {"strategy": "time", "period": "1 day"}}, "not a duration of ISO 8601"),
        ({"index_prefix": "graylog", "writable": False}, "default and not writable"),
        ({"index_prefix": "gl-events", "default": True}, "reserved for Graylog"),
    ],
)
@AT_THE_ENDS
def test_invalid_options_are_refused(graylog, desired, words):
    assert words in graylog.run("graylog_index_set", **desired)["msg"]
    assert not graylog.writes


@AT_THE_ENDS
def test_index_set_used_by_stream_is_not_deleted(graylog):
    assert (
        "used by the streams All events"
        in graylog.run("graylog_index_set", index_prefix="gl-events", state="absent")["msg"]
    )
    assert not graylog.writes


@AT_THE_ENDS
def test_indices_are_deleted_only_on_request(graylog):
    graylog.run("graylog_index_set", **JOBS)
    graylog.run("graylog_index_set", index_prefix="jobs", state="absent", delete_indices=True)
    assert graylog.writes[-1] == ("DELETE", graylog.writes[-1][1])
    assert graylog.writes[-1][1].endswith("?delete_indices=true")
