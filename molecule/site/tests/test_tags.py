"""One service is redeployed alone."""

from __future__ import annotations

import re

import pytest
from scenario import PROJECT, play

SHARED = {"common", "supervisor"}  # restart rules, free ports, programs


@pytest.mark.parametrize("tag", ["nginx", "postgresql:configure", "celery:configure"])
def test_a_tag_redeploys_its_role_and_no_other(tag):
    told = play(PROJECT / "site.yml", PROJECT / "inventories/lab", "--tags", tag)
    roles = set(re.findall(r"TASK \[(\w+) : ", told)) - SHARED
    assert roles == {tag.split(":")[0]} | ({"django"} if tag.startswith("celery") else set())
    changed = re.findall(r"changed=(\d+)", told)
    assert changed and set(changed) == {"0"}, told
