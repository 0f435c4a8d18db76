"""Streams, as each release takes them."""

from __future__ import annotations

import pytest

from tests.unit.graylog.test_pipelines import PIPELINE, RULE

AT_THE_ENDS = pytest.mark.parametrize("played", ["3.3.11", "7.1.7"], indirect=True)
HAS_JOB = {"type": "presence", "field": "job"}
JOBS = {
    "title": "Jobs",
    "description": "What jobs say",
    "index_set": "jobs",
    "matching_type": "OR",
    "remove_matches_from_default_stream": True,
    "rules": [HAS_JOB, {"type": "exact", "field": "source", "value": "n1", "description": "The first"}],
}


def held(played, title: str = "Jobs") -> dict:
    return next(item for item in played.streams.items.values() if item["title"] == title)


@pytest.fixture
def jobs(played):
    """The index set, the rule and the pipeline that a stream of jobs needs."""
    played.run("graylog_index_set", index_prefix="jobs", title="Jobs' messages")
    played.run("graylog_pipeline_rule", source=RULE)
    played.run("graylog_pipeline", source=PIPELINE)
    return played


def test_a_stream_is_made_changed_and_deleted(jobs):
    made = jobs.settles("graylog_stream", **JOBS, pipelines=["jobs"])
    assert made["actions"] == ["created"]
    assert made["stream"]["started"] is True, "Graylog makes streams paused"
    assert made["stream"]["pipelines"] == ["jobs"]
    assert made["diff"]["after"]["index_set"] == "jobs"
    jobs.settles("graylog_stream", title="Jobs", matching_type="AND", index_set="Jobs' messages")
    item = held(jobs)
    assert (item["matching_type"], item["description"]) == ("AND", "What jobs say"), "what is left open stays"
    assert item["remove_matches_from_default_stream"] is True
    assert len(item["rules"]) == 2
    jobs.settles("graylog_stream", title="Jobs", started=False, pipelines=[])
    assert held(jobs)["disabled"] is True
    jobs.settles("graylog_stream", title="Jobs", description="New")
    assert held(jobs)["disabled"] is True, "a paused stream is not started unasked"
    assert jobs.settles("graylog_stream", title="Jobs", state="absent")["actions"] == ["deleted"]


def test_rules_are_added_changed_and_purged_only_when_asked(jobs):
    jobs.settles("graylog_stream", **JOBS)
    first, second = (rule["id"] for rule in held(jobs)["rules"])
    more = {"type": "greater", "field": "level", "value": 3, "inverted": True}
    jobs.settles("graylog_stream", title="Jobs", rules=[more, {**HAS_JOB, "description": "Of jobs"}])
    rules = {rule["id"]: rule for rule in held(jobs)["rules"]}
    assert len(rules) == 3
    assert rules[first]["description"] == "Of jobs"
    assert rules[second]["description"] == "The first"
    jobs.settles("graylog_stream", title="Jobs", rules=[more], purge_rules=True)
    [rule] = held(jobs)["rules"]
    assert (rule["type"], rule["field"], rule["value"], rule["inverted"]) == (3, "level", "3", True)
    jobs.settles("graylog_stream", title="Jobs", rules=[{"type": "always"}], purge_rules=True)
    assert [rule["type"] for rule in held(jobs)["rules"]] == [7]


def test_a_rule_that_matches_an_input(played):
    wish = {"title": "Nodes", "rules": [{"type": "match_input", "value": "Compute nodes"}]}
    if played.release.number < (4, 0):
        assert "only Graylog 4.0 and later" in played.run("graylog_stream", **wish)["msg"]
        return
    assert played.run("graylog_stream", **wish, check=True)["actions"] == ["created"]
    assert "the input 'Compute nodes', which does not exist" in played.run("graylog_stream", **wish)["msg"]
    assert not played.changes
    made = played.run("graylog_input", title="Compute nodes", type="gelf_tcp", port=12201, running=False)
    assert played.settles("graylog_stream", **wish)["stream"]["rules"][0]["value"] == "Compute nodes"
    assert held(played, "Nodes")["rules"][0]["value"] == made["input"]["id"]


def test_what_is_not_there_yet_is_no_error_in_check_mode(played):
    wish = {"title": "Jobs", "index_set": "jobs", "pipelines": ["jobs"]}
    answer = played.run("graylog_stream", **wish, check=True)
    assert answer["diff"]["after"]["index_set"] == "jobs"
    assert "pipelines jobs, which do not exist" in played.run("graylog_stream", **wish)["msg"]
    assert (
        "index set 'jobs', which does not exist" in played.run("graylog_stream", title="Jobs", index_set="jobs")["msg"]
    )
    assert not played.changes


@pytest.mark.parametrize("title", ["All messages", "Default Stream"])
def test_the_default_stream_has_only_its_pipelines_managed(jobs, title):
    jobs.settles("graylog_stream", title=title, pipelines=["jobs"])
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
def test_rules_that_make_no_sense(played, rule, words):
    assert words in played.run("graylog_stream", title="Jobs", rules=[rule])["msg"]


@AT_THE_ENDS
def test_two_streams_of_one_title(jobs):
    for _each in range(2):
        jobs.streams._add(jobs.new_id(), "admin", title="Jobs", index_set_id=jobs.index_sets.default)
    assert "2 objects of the kind stream have the name 'Jobs'" in jobs.run("graylog_stream", title="Jobs")["msg"]
