"""Pipelines and their rules, as each release takes them."""

from __future__ import annotations

import pytest

from module_utils.graylog.pipelines import title_of

RULE = """rule "mark jobs"
when
  has_field("job")
then
  set_field("kind", "job");
end
"""
PIPELINE = """pipeline "jobs"
stage 0 match either
rule "mark jobs"
end
"""
AT_THE_ENDS = pytest.mark.parametrize("played", ["3.3.11", "7.1.7"], indirect=True)


def test_a_rule_is_made_changed_and_deleted(played):
    made = played.settles("graylog_pipeline_rule", source=RULE, description="Jobs")
    assert (made["actions"], made["pipeline_rule"]["title"]) == (["created"], "mark jobs")
    same, written = played.changed_by("graylog_pipeline_rule", source=RULE.replace("\n", "  \r\n") + "\n\n")
    assert (same["changed"], written) == (False, []), "blanks at the ends of lines count for nothing"
    changed = played.settles("graylog_pipeline_rule", source=RULE.replace('"job")', '"work")'))
    assert changed["actions"] == ["updated"]
    assert changed["pipeline_rule"]["description"] == "Jobs", "what is left open stays"
    assert len(played.rules.items) == 1
    assert played.settles("graylog_pipeline_rule", title="mark jobs", state="absent")["actions"] == ["deleted"]
    assert not played.rules.items


def test_a_pipeline_is_made_changed_and_deleted_with_its_connections(played):
    played.run("graylog_pipeline_rule", source=RULE)
    made = played.settles("graylog_pipeline", source=PIPELINE)
    assert made["pipeline"]["title"] == "jobs"
    played.settles("graylog_pipeline", source=PIPELINE.replace("either", "all"))
    [item] = played.pipelines.items.values()
    assert item["stages"][0]["match"] == "ALL"
    played.run("graylog_stream", title="Default Stream", pipelines=["jobs"])
    answer, written = played.changed_by("graylog_pipeline", title="jobs", state="absent")
    assert answer["actions"] == ["deleted"]
    assert [path.rsplit("/", 1)[1] for _method, path in written] == ["to_pipeline", item["id"]]
    assert not played.pipelines.items


@pytest.mark.parametrize("check", [True, False])
def test_a_source_that_cannot_be_read_says_where(played, check):
    broken = RULE.replace("then\n", "")
    answer = played.run("graylog_pipeline_rule", source=broken, check=check)
    assert "The source of the pipeline rule 'mark jobs' has an error" in answer["msg"]
    assert "line 5, position 3" in answer["msg"]
    assert "expecting Then" in answer["msg"]
    assert not played.changes


def test_a_pipeline_names_the_rules_that_are_missing(played):
    assert played.run("graylog_pipeline", source=PIPELINE, check=True)["actions"] == ["created"]
    answer = played.run("graylog_pipeline", source=PIPELINE)
    assert "'jobs' needs the rules mark jobs, which do not exist: create them first" in answer["msg"]
    assert not played.changes


@AT_THE_ENDS
def test_a_rule_that_a_pipeline_names_is_not_deleted(played):
    played.run("graylog_pipeline_rule", source=RULE)
    played.run("graylog_pipeline", source=PIPELINE)
    assert "is used by the pipelines jobs" in played.run("graylog_pipeline_rule", source=RULE, state="absent")["msg"]
    assert played.rules.items


@AT_THE_ENDS
def test_a_source_and_a_title_must_agree(played):
    assert "make the two agree" in played.run("graylog_pipeline_rule", title="other", source=RULE)["msg"]
    assert "must begin with pipeline" in played.run("graylog_pipeline", source=RULE)["msg"]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ('\n// of "jobs"\nrule "jobs"\n', "jobs"),
        ('/* rule "no" */ rule "say \\"yes\\""', 'say "yes"'),
    ],
)
def test_a_title_after_comments_and_with_quotes(source, title):
    assert title_of("rule", source) == title
