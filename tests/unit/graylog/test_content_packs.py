"""Test the module for content packs with each release."""

from __future__ import annotations

import json

import pytest

PACK_ID = "5f4709b5-8595-4a9c-b1a0-01faa8e2b017"
PARAMETERS = [
    {"name": "PORT", "title": "Port", "description": "", "type": "integer", "default_value": 12201},
    {"name": "TITLE", "title": "Title", "description": "", "type": "string"},
]
ENTITIES = [{"v": "1", "id": "1", "type": {"name": "stream", "version": "1"}, "data": {}, "constraints": []}]


def pack(rev: int = 1, **given) -> dict:
    texts = dict.fromkeys(("summary", "description", "vendor", "url"), "x")
    return {"v": "1", "id": PACK_ID, "rev": rev, "name": "p", **texts, "parameters": [], "entities": ENTITIES, **given}


def installed(graylog) -> list[int]:
    return [each["content_pack_revision"] for each in graylog.content_packs.installed.get(PACK_ID, [])]


def test_pack_is_uploaded_and_installed_once(graylog):
    created = graylog.converge("graylog_content_pack", content=pack())
    assert created["actions"] == ["created"]
    assert created["content_pack"] == {"id": PACK_ID, "revisions": [1], "installed": [1], "parameters": {}}
    assert installed(graylog) == [1]


def test_manually_uploaded_pack_is_installed(graylog):
    graylog.converge("graylog_content_pack", content=pack(), install=False)
    assert installed(graylog) == []
    assert graylog.converge("graylog_content_pack", content=pack())["actions"] == ["updated"]
    assert installed(graylog) == [1]


def test_another_revision_replaces_installation_with_replace(graylog):
    graylog.run("graylog_content_pack", content=pack())
    before = len(graylog.writes)
    refused = graylog.run("graylog_content_pack", content=pack(2))
    assert "set replace to true" in refused["msg"]
    assert len(graylog.writes) == before
    replaced = graylog.converge("graylog_content_pack", content=pack(2), replace=True)
    assert replaced["diff"]["before"]["installed"] == [1]
    assert installed(graylog) == [2]


def test_double_installation_is_reduced_to_one(graylog):
    graylog.run("graylog_content_pack", content=pack())
    (entry,) = graylog.content_packs.installed[PACK_ID]
    graylog.content_packs.installed[PACK_ID].append({**entry, "_id": "again"})
    assert "revision 1, 1, not once" in graylog.run("graylog_content_pack", content=pack())["msg"]
    replaced = graylog.converge("graylog_content_pack", content=pack(), replace=True)
    assert replaced["diff"]["before"]["installed"] == [1, 1]
    assert installed(graylog) == [1]


def test_parameters_get_types_and_defaults(graylog):
    content = pack(parameters=PARAMETERS)
    graylog.converge("graylog_content_pack", content=content, parameters={"TITLE": "Jobs"})
    (installation,) = graylog.content_packs.installed[PACK_ID]
    assert installation["parameters"] == {
        "PORT": {"@type": "integer", "@value": 12201},
        "TITLE": {"@type": "string", "@value": "Jobs"},
    }
    other = {"TITLE": "Jobs", "PORT": "12301"}
    assert "replace" in graylog.run("graylog_content_pack", content=content, parameters=other)["msg"]
    graylog.converge("graylog_content_pack", content=content, parameters=other, replace=True)
    (installation,) = graylog.content_packs.installed[PACK_ID]
    assert installation["parameters"]["PORT"]["@value"] == 12301


@pytest.mark.parametrize(
    ("content", "parameters", "words"),
    [
        (pack(parameters=PARAMETERS), {}, "needs a value for TITLE"),
        (pack(parameters=PARAMETERS), {"TITLE": "x", "HOST": "y"}, "no parameter HOST"),
        (pack(parameters=PARAMETERS), {"TITLE": "x", "PORT": "high"}, "type integer"),
        (pack(entities=[]), {}, "has nothing to install"),
        ({"id": PACK_ID}, {}, "rev"),
    ],
)
def test_invalid_pack_is_refused_before_upload(graylog, content, parameters, words):
    answer = graylog.run("graylog_content_pack", content=content, parameters=parameters)
    assert words in answer["msg"]
    assert graylog.writes == []


def test_absent_deletes_installations_and_revisions(graylog):
    for rev in (1, 2):
        graylog.run("graylog_content_pack", content=pack(rev), replace=True)
    assert graylog.converge("graylog_content_pack", id=PACK_ID, state="absent")["actions"] == ["deleted"]
    assert installed(graylog) == []
    assert not graylog.content_packs.items.get(PACK_ID)


def test_pack_is_read_from_file(graylog, tmp_path):
    path = tmp_path / "pack.json"
    assert "cannot be read" in graylog.run("graylog_content_pack", path=str(path))["msg"]
    path.write_text(json.dumps(pack()), encoding="utf-8")
    graylog.converge("graylog_content_pack", path=str(path))
    assert installed(graylog) == [1]
