"""Test that preflight validates every role that a play deploys to a group."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TABLES = yaml.safe_load((ROOT / "group_vars/all/preflight.yml").read_text())
TABLE, TAGS = TABLES["preflight_roles"], TABLES["preflight_tags"]
IMPORT = "ansible.builtin.import_role"
SERVICES = yaml.safe_load((ROOT / "playbooks/tasks/services.yml").read_text())
PLAYS = {
    play["name"]: (play["hosts"], [task[IMPORT]["name"] for task in play["tasks"] if IMPORT in task])
    for path in sorted((ROOT / "playbooks").glob("*.yml"))
    for play in yaml.safe_load(path.read_text())
}


@pytest.mark.parametrize("play", [name for name, (_, roles) in PLAYS.items() if roles])
def test_roles_of_a_play_are_in_the_table(play):
    hosts, roles = PLAYS[play]
    group = re.match(r"\w+", hosts)[0]
    # A row may be a Jinja expression: compare with all words in it.
    named = re.findall(r"\w+", str(TABLE[group]))
    assert [role for role in roles if role not in named] == []


def test_tag_release_covers_its_roles_in_every_play():
    tagged = {
        task[IMPORT]["name"]
        for path in sorted((ROOT / "playbooks").glob("*.yml"))
        for play in yaml.safe_load(path.read_text())
        for task in play["tasks"]
        if IMPORT in task and "release" in task["tags"]
    }
    assert tagged == set(TAGS["release"])


def test_operation_page_lists_the_roles_of_the_tag_release():
    row = next(line for line in (ROOT / "docs/operation.md").read_text().splitlines() if "--tags release" in line)
    assert set(re.findall(r"`(\w+)`", row)) >= set(TAGS["release"])


@pytest.mark.parametrize("task", SERVICES, ids=lambda task: task["name"])
def test_the_role_of_a_service_is_in_the_table(task):
    role = task["ansible.builtin.include_role"]["name"]
    groups = set(re.findall(r"'(\w+)'", task["when"])) & set(TABLE)
    assert groups
    for group in groups:
        assert role in re.findall(r"\w+", str(TABLE[group]))
    assert task["tags"] == [role, f"{role}:configure"]
    assert task["ansible.builtin.include_role"]["apply"] == {"tags": [role]}


def test_every_role_is_in_a_play():
    played = {role for _, roles in PLAYS.values() for role in roles}
    played |= {task["ansible.builtin.include_role"]["name"] for task in SERVICES}
    assert played == {path.name for path in (ROOT / "roles").iterdir()}
