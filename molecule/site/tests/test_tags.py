"""Tags limit a deployment to one service."""

from __future__ import annotations

import re

import pytest
from scenario import PROJECT, play

from lab.copy_inventory import directory

SHARED = {"common", "supervisor"}  # restart rules, free ports, programs


@pytest.mark.parametrize("tag", ["nginx", "postgresql:configure", "celery:configure"])
def test_tag_deploys_its_role_only(tag):
    output = play(PROJECT / "site.yml", directory(), "--tags", tag)
    roles = set(re.findall(r"TASK \[(\w+) : ", output)) - SHARED
    assert roles == {tag.split(":")[0]} | ({"django"} if tag.startswith("celery") else set())
    changed = re.findall(r"changed=(\d+)", output)
    assert changed and set(changed) == {"0"}, output
