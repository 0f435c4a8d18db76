"""Tags limit a deployment to one service."""

from __future__ import annotations

import re

import pytest
from scenario import PROJECT, play

from lab.copy_inventory import directory

SHARED = {"common", "supervisor"}  # restart rules, free ports, programs


def test_tag_release_reaches_every_host_with_the_application():
    output = play(PROJECT / "site.yml", directory(), "--tags", "release")
    assert {"django", "flower", "celery", "cluster_client"} <= set(re.findall(r"TASK \[(\w+) : ", output))
    recap = dict(re.findall(r"^(\S+)\s+: ok=(\d+)", output, re.MULTILINE))
    assert all(int(recap[name]) > 10 for name in ("master1", "worker1", "login1")), output


@pytest.mark.parametrize("tag", ["nginx", "postgresql:configure", "celery:configure"])
def test_tag_deploys_its_role_only(tag):
    output = play(PROJECT / "site.yml", directory(), "--tags", tag)
    roles = set(re.findall(r"TASK \[(\w+) : ", output)) - SHARED
    assert roles == {tag.split(":")[0]} | ({"django"} if tag.startswith("celery") else set())
    changed = re.findall(r"changed=(\d+)", output)
    assert changed and set(changed) == {"0"}, output
