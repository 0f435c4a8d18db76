"""Test that GitHub's jobs run every scenario, with actions pinned by commit."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
JOBS = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]


def test_every_scenario_has_a_job():
    parts = JOBS["debian"]["strategy"]["matrix"]["include"]
    named = [name for part in parts for name in part.get("scenarios", "").split()]
    known = subprocess.run([ROOT / "tests/scenario-names"], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(named) == sorted(known)
    assert {kind for part in parts for kind in part["kinds"].split()} == {"lint", "unit", "molecule"}


def test_actions_are_pinned_by_commit():
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []
