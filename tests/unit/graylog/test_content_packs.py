"""Content packs, as each release takes them."""

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


def installed(played) -> list[int]:
    return [each["content_pack_revision"] for each in played.content_packs.installed.get(PACK_ID, [])]


def test_a_pack_is_uploaded_and_installed_once(played):
    made = played.settles("graylog_content_pack", content=pack())
    assert made["actions"] == ["created"]
    assert made["content_pack"] == {"id": PACK_ID, "revisions": [1], "installed": [1], "parameters": {}}
    assert installed(played) == [1]


def test_what_was_uploaded_by_hand_is_installed(played):
    played.settles("graylog_content_pack", content=pack(), install=False)
    assert installed(played) == []
    assert played.settles("graylog_content_pack", content=pack())["actions"] == ["updated"]
    assert installed(played) == [1]


def test_another_revision_takes_the_place_where_it_may(played):
    played.run("graylog_content_pack", content=pack())
    before = len(played.writes)
    refused = played.run("graylog_content_pack", content=pack(2))
    assert "set replace to true" in refused["msg"]
    assert len(played.writes) == before
    replaced = played.settles("graylog_content_pack", content=pack(2), replace=True)
    assert replaced["diff"]["before"]["installed"] == [1]
    assert installed(played) == [2]


def test_what_was_installed_twice_is_installed_once(played):
    played.run("graylog_content_pack", content=pack())
    (entry,) = played.content_packs.installed[PACK_ID]
    played.content_packs.installed[PACK_ID].append({**entry, "_id": "again"})
    assert "revision 1, 1, not once" in played.run("graylog_content_pack", content=pack())["msg"]
    replaced = played.settles("graylog_content_pack", content=pack(), replace=True)
    assert replaced["diff"]["before"]["installed"] == [1, 1]
    assert installed(played) == [1]


def test_parameters_get_their_types_and_defaults(played):
    content = pack(parameters=PARAMETERS)
    played.settles("graylog_content_pack", content=content, parameters={"TITLE": "Jobs"})
    (installation,) = played.content_packs.installed[PACK_ID]
    assert installation["parameters"] == {
        "PORT": {"@type": "integer", "@value": 12201},
        "TITLE": {"@type": "string", "@value": "Jobs"},
    }
    other = {"TITLE": "Jobs", "PORT": "12301"}
    assert "replace" in played.run("graylog_content_pack", content=content, parameters=other)["msg"]
    played.settles("graylog_content_pack", content=content, parameters=other, replace=True)
    (installation,) = played.content_packs.installed[PACK_ID]
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
def test_what_cannot_be_installed_is_refused_before_it_is_uploaded(played, content, parameters, words):
    answer = played.run("graylog_content_pack", content=content, parameters=parameters)
    assert words in answer["msg"]
    assert played.writes == []


def test_absent_takes_installations_and_revisions(played):
    for rev in (1, 2):
        played.run("graylog_content_pack", content=pack(rev), replace=True)
    assert played.settles("graylog_content_pack", id=PACK_ID, state="absent")["actions"] == ["deleted"]
    assert installed(played) == []
    assert not played.content_packs.items.get(PACK_ID)


def test_a_pack_is_read_from_a_file(played, tmp_path):
    path = tmp_path / "pack.json"
    assert "cannot be read" in played.run("graylog_content_pack", path=str(path))["msg"]
    path.write_text(json.dumps(pack()), encoding="utf-8")
    played.settles("graylog_content_pack", path=str(path))
    assert installed(played) == [1]
