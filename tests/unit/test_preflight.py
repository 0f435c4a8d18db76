"""Preflight asks for every role that a play gives to a group."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
ROLES = yaml.safe_load((PLAYBOOKS / "group_vars/all/preflight.yml").read_text())["preflight_roles"]
PLAYS = [
    play for path in sorted(PLAYBOOKS.glob("*.yml")) for play in yaml.safe_load(path.read_text()) if "roles" in play
]


@pytest.mark.parametrize("play", PLAYS, ids=[play["name"] for play in PLAYS])
def test_the_roles_of_a_play_are_in_the_table(play):
    group = re.match(r"\w+", play["hosts"])[0]
    assert [role["role"] for role in play["roles"] if role["role"] not in ROLES[group]] == []
