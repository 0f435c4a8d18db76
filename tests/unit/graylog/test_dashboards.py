"""Test the dashboards' content packs with the stand-in of each release."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dashboards
import pytest
import yaml
from dashboard_releases import RELEASES

PROJECT = Path(__file__).parents[3]
MAJORS = [release.major for release in RELEASES]
DESCRIPTION = yaml.safe_load((PROJECT / "roles/graylog/files/dashboards.yml").read_text())
# Properties of the classes that parse a pack and refuse other properties. Source: javap on the archives
# org.graylog2:graylog2-server of 3.3.11, 6.3.7 and 7.0.1, classes ValueConfigDTO, PivotDTO, RelativeRange and
# DataTableVisualizationConfigDTO. 4 and 5 have the older form, which the later classes still read.
FIELD = {3: "field", 4: "field", 5: "field", 6: "fields", 7: "fields"}
LIMIT = {3: {"limit"}, 4: {"limit"}, 5: {"limit"}, 6: {"limit", "skip_empty_values"}, 7: {"limit", "skip_empty_values"}}
RANGE = {3: "range", 4: "range", 5: "from", 6: "from", 7: "from"}
TABLE = {3: None, 4: None, 5: None, 6: None, 7: {"pinned_columns": [], "show_row_numbers": False}}


def pack(major: int) -> dict:
    """Return the role's content pack."""
    return json.loads((PROJECT / f"roles/graylog/files/content_packs/dashboards-{major}.json").read_text())


def states(content: dict) -> Iterator[tuple[dict, dict]]:
    """Yield the single query and the single state of each dashboard."""
    for entity in content["entities"]:
        [query], [state] = entity["data"]["search"]["queries"], entity["data"]["state"].values()
        yield query, state


def test_packs_match_their_description():
    checked = subprocess.run(
        [sys.executable, PROJECT / "tools/dashboards.py", "--check"], capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, b"")


def test_server_accepts_pack_and_replaces_it_with_changed_one(graylog):
    major = graylog.release.number[0]
    created = graylog.converge("graylog_content_pack", content=pack(major), replace=True)
    assert created["content_pack"]["installed"] == [pack(major)["rev"]]
    changed = copy.deepcopy(DESCRIPTION)
    changed[0]["summary"] += "."
    other = dashboards.pack(changed, next(release for release in RELEASES if release.major == major))
    replaced = graylog.converge("graylog_content_pack", content=other, replace=True)
    assert replaced["content_pack"]["installed"] == [other["rev"]]


def test_upgraded_server_gets_later_form():
    packs = [pack(major) for major in MAJORS]
    assert len({each["id"] for each in packs}) == 1
    assert len({each["rev"] for each in packs}) == len(MAJORS)
    assert all(0 < each["rev"] < 2**31 for each in packs)


@pytest.mark.parametrize("major", MAJORS)
def test_widgets_show_what_they_search_for(major):
    for query, state in states(pack(major)):
        searches = {search["id"]: search for search in query["search_types"]}
        assert {name for [name] in state["widget_mapping"].values()} == set(searches)
        for widget in state["widgets"]:
            search = searches[state["widget_mapping"][widget["id"]][0]]
            assert widget["id"] in state["titles"]["widget"]
            for key in ("query", "timerange", "streams"):
                assert widget[key] == search[key]
            if widget["type"] == "aggregation":
                shown = [series["config"]["name"] for series in widget["config"]["series"]]
                assert shown == [series["id"] for series in search["series"]]
                assert len(widget["config"]["row_pivots"]) == len(search["row_groups"])


@pytest.mark.parametrize("major", MAJORS)
def test_widgets_do_not_overlap(major):
    for _query, state in states(pack(major)):
        taken = [
            (column, row)
            for place in state["positions"].values()
            for column in range(place["col"], place["col"] + place["width"])
            for row in range(place["row"], place["row"] + place["height"])
        ]
        assert len(taken) == len(set(taken))
        assert {column for column, _row in taken} == set(range(1, 13))


@pytest.mark.parametrize("major", MAJORS)
def test_pack_has_keys_of_its_release(major):
    limits = 0
    for query, state in states(pack(major)):
        assert set(query["timerange"]) == {"type", RANGE[major]}
        for widget in state["widgets"]:
            config = widget["config"]
            for pivot in config.get("row_pivots", []) + config.get("column_pivots", []):
                assert set(pivot) == {"type", FIELD[major], "config"}
                if pivot["type"] == "values":
                    assert set(pivot["config"]) == LIMIT[major]
                    limits += 1
            if config.get("visualization") == "table":
                assert config["visualization_config"] == TABLE[major]
    assert limits


def test_incomplete_row_is_refused():
    broken = copy.deepcopy(DESCRIPTION)
    broken[0]["rows"][0]["widgets"][0]["width"] = 2
    with pytest.raises(ValueError, match="add up to 11"):
        dashboards.pack(broken, RELEASES[0])
