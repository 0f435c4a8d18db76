"""Test the module for streams with each release."""

from __future__ import annotations

import pytest

from tests.unit.graylog.test_pipelines import PIPELINE, RULE

AT_THE_ENDS = pytest.mark.parametrize("graylog", ["3.3.11", "7.1.7"], indirect=True)
HAS_JOB = {"type": "presence", "field": "job"}
JOBS = {
    "title": "Jobs",
    "description": "What jobs say",
    "index_set": "jobs",
    "matching_type": "OR",
    "remove_matches_from_default_stream": True,
    "rules": [HAS_JOB, {"type": "exact", "field": "source", "value": "n1", "description": "The first"}],
}


def stored(graylog, title: str = "Jobs") -> dict:
    return next(item for item in graylog.streams.items.values() if item["title"] == title)


@pytest.fixture
def jobs(graylog):
    """Create the index set, the rule and the pipeline of a stream of jobs."""
    graylog.run("graylog_index_set", index_prefix="jobs", title="Jobs' messages")
    graylog.run("graylog_pipeline_rule", source=RULE)
    graylog.run("graylog_pipeline", source=PIPELINE)
    return graylog


def test_stream_is_created_updated_and_deleted(jobs):
    created = jobs.converge("graylog_stream", **JOBS, pipelines=["jobs"])
    assert created["actions"] == ["created"]
    assert created["stream"]["started"] is True, "Graylog makes streams paused"
    assert created["stream"]["pipelines"] == ["jobs"]
    assert created["diff"]["after"]["index_set"] == "jobs"
    jobs.converge("graylog_stream", title="Jobs", matching_type="AND", index_set="Jobs' messages")
    item = stored(jobs)
    assert (item["matching_type"], item["description"]) == ("AND", "What jobs say"), "omitted settings stay"
    assert item["remove_matches_from_default_stream"] is True
    assert len(item["rules"]) == 2
    jobs.converge("graylog_stream", title="Jobs", started=False, pipelines=[])
    assert stored(jobs)["disabled"] is True
    jobs.converge("graylog_stream", title="Jobs", description="New")
    assert stored(jobs)["disabled"] is True, "a paused stream is not started unasked"
    assert jobs.converge("graylog_stream", title="Jobs", state="absent")["actions"] == ["deleted"]


def test_rules_are_added_updated_and_purged_only_with_purge(jobs):
    jobs.converge("graylog_stream", **JOBS)
    first, second = (rule["id"] for rule in stored(jobs)["rules"])
    more = {"type": "greater", "field": "level", "value": 3, "inverted": True}
    jobs.converge("graylog_stream", title="Jobs", rules=[more, {**HAS_JOB, "description": "Of jobs"}])
    rules = {rule["id"]: rule for rule in stored(jobs)["rules"]}
    assert len(rules) == 3
    assert rules[first]["description"] == "Of jobs"
    assert rules[second]["description"] == "The first"
    jobs.converge("graylog_stream", title="Jobs", rules=[more], purge_rules=True)
    [rule] = stored(jobs)["rules"]
    assert (rule["type"], rule["field"], rule["value"], rule["inverted"]) == (3, "level", "3", True)
    jobs.converge("graylog_stream", title="Jobs", rules=[{"type": "always"}], purge_rules=True)
    assert [rule["type"] for rule in stored(jobs)["rules"]] == [7]


def test_rule_matches_input_by_title_or_id(graylog):
    desired = {"title": "Nodes", "rules": [{"type": "match_input", "value": "Compute nodes"}]}
    if graylog.release.number < (4, 0):
        assert "only Graylog 4.0 and later" in graylog.run("graylog_stream", **desired)["msg"]
        return
    assert graylog.run("graylog_stream", **desired, check=True)["actions"] == ["created"]
    assert "the input 'Compute nodes', which does not exist" in graylog.run("graylog_stream", **desired)["msg"]
    assert not graylog.changes
    created = graylog.run("graylog_input", title="Compute nodes", type="gelf_tcp", port=12201, running=False)
    assert graylog.converge("graylog_stream", **desired)["stream"]["rules"][0]["value"] == "Compute nodes"
    assert stored(graylog, "Nodes")["rules"][0]["value"] == created["input"]["id"]


def test_missing_references_are_accepted_in_check_mode(graylog):
    desired = {"title": "Jobs", "index_set": "jobs", "pipelines": ["jobs"]}
    answer = graylog.run("graylog_stream", **desired, check=True)
    assert answer["diff"]["after"]["index_set"] == "jobs"
    assert "pipelines jobs, which do not exist" in graylog.run("graylog_stream", **desired)["msg"]
    assert (
        "index set 'jobs', which does not exist" in graylog.run("graylog_stream", title="Jobs", index_set="jobs")["msg"]
    )
    assert not graylog.changes


@pytest.mark.parametrize("title", ["All messages", "Default Stream"])
def test_default_stream_accepts_only_pipelines(jobs, title):
    jobs.converge("graylog_stream", title=title, pipelines=["jobs"])
    assert jobs.connections.items["000000000000000000000001"]["pipeline_ids"] == list(jobs.pipelines.items)
    written = len(jobs.writes)
    assert "built into Graylog" in jobs.run("graylog_stream", title=title, started=False)["msg"]
    assert "cannot be deleted" in jobs.run("graylog_stream", title=title, state="absent")["msg"]
    assert len(jobs.writes) == written


@AT_THE_ENDS
@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "presence", "field": "job", "value": "x"}, "of the type presence with value: remove it"),
        ({"type": "always", "field": "job"}, "of the type always with field: remove it"),
        ({"type": "exact", "field": "job"}, "of the type exact without value: set it"),
    ],
)
def test_invalid_rules_are_refused(graylog, rule, words):
    assert words in graylog.run("graylog_stream", title="Jobs", rules=[rule])["msg"]


@AT_THE_ENDS
def test_duplicate_title_is_refused(jobs):
    for _each in range(2):
        jobs.streams._add(jobs.new_id(), "admin", title="Jobs", index_set_id=jobs.index_sets.default)
    assert "2 objects of the kind stream have the name 'Jobs'" in jobs.run("graylog_stream", title="Jobs")["msg"]
