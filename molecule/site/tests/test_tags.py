"""One service is redeployed alone."""

from __future__ import annotations

import re
import subprocess

import pytest
from service import ROOT

OTHERS = {"common", "supervisor"}  # what roles share: restart rules, free ports, programs


@pytest.mark.parametrize("tag", ["nginx", "postgresql:configure", "celery:configure"])
def test_a_tag_redeploys_its_role_and_no_other(tag):
    command = ["ansible-playbook", "--inventory", ROOT / "inventories/lab", ROOT / "site.yml", "--tags", tag]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    roles = set(re.findall(r"TASK \[(\w+) :", run.stdout)) - OTHERS
    assert roles == {tag.split(":")[0]} | ({"django"} if tag.startswith("celery") else set())
    changed = re.findall(r"changed=(\d+)", run.stdout)
    assert changed and set(changed) == {"0"}, run.stdout
