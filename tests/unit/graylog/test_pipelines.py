"""Test the modules for pipelines and their rules with each release."""

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
AT_THE_ENDS = pytest.mark.parametrize("graylog", ["3.3.11", "7.1.7"], indirect=True)


def test_rule_is_created_updated_and_deleted(graylog):
    created = graylog.converge("graylog_pipeline_rule", source=RULE, description="Jobs")
    assert (created["actions"], created["pipeline_rule"]["title"]) == (["created"], "mark jobs")
    same, written = graylog.changed_by("graylog_pipeline_rule", source=RULE.replace("\n", "  \r\n") + "\n\n")
    assert (same["changed"], written) == (False, []), "blanks at the ends of lines count for nothing"
    changed = graylog.converge("graylog_pipeline_rule", source=RULE.replace('"job")', '"work")'))
    assert changed["actions"] == ["updated"]
    assert changed["pipeline_rule"]["description"] == "Jobs", "omitted settings stay"
    assert len(graylog.rules.items) == 1
    assert graylog.converge("graylog_pipeline_rule", title="mark jobs", state="absent")["actions"] == ["deleted"]
    assert not graylog.rules.items


def test_pipeline_is_created_updated_and_deleted_with_connections(graylog):
    graylog.run("graylog_pipeline_rule", source=RULE)
    created = graylog.converge("graylog_pipeline", source=PIPELINE)
    assert created["pipeline"]["title"] == "jobs"
    graylog.converge("graylog_pipeline", source=PIPELINE.replace("either", "all"))
    [item] = graylog.pipelines.items.values()
    assert item["stages"][0]["match"] == "ALL"
    graylog.run("graylog_stream", title="Default Stream", pipelines=["jobs"])
    answer, written = graylog.changed_by("graylog_pipeline", title="jobs", state="absent")
    assert answer["actions"] == ["deleted"]
    assert [path.rsplit("/", 1)[1] for _method, path in written] == ["to_pipeline", item["id"]]
    assert not graylog.pipelines.items


@pytest.mark.parametrize("check", [True, False])
def test_syntax_error_is_reported_with_position(graylog, check):
    broken = RULE.replace("then\n", "")
    answer = graylog.run("graylog_pipeline_rule", source=broken, check=check)
    assert "The source of the pipeline rule 'mark jobs' has an error" in answer["msg"]
    assert "line 5, position 3" in answer["msg"]
    assert "expecting Then" in answer["msg"]
    assert not graylog.changes


def test_missing_rules_are_named(graylog):
    assert graylog.run("graylog_pipeline", source=PIPELINE, check=True)["actions"] == ["created"]
    answer = graylog.run("graylog_pipeline", source=PIPELINE)
    assert "'jobs' needs the rules mark jobs, which do not exist: create them first" in answer["msg"]
    assert not graylog.changes


@AT_THE_ENDS
def test_rule_used_by_pipeline_is_not_deleted(graylog):
    graylog.run("graylog_pipeline_rule", source=RULE)
    graylog.run("graylog_pipeline", source=PIPELINE)
    assert "is used by the pipelines jobs" in graylog.run("graylog_pipeline_rule", source=RULE, state="absent")["msg"]
    assert graylog.rules.items


@AT_THE_ENDS
def test_source_and_title_must_agree(graylog):
    assert "make the two agree" in graylog.run("graylog_pipeline_rule", title="other", source=RULE)["msg"]
    assert "must begin with pipeline" in graylog.run("graylog_pipeline", source=RULE)["msg"]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ('\n// of "jobs"\nrule "jobs"\n', "jobs"),
        ('/* rule "no" */ rule "say \\"yes\\""', 'say "yes"'),
    ],
)
def test_title_is_found_after_comments_and_with_quotes(source, title):
    assert title_of("rule", source) == title
