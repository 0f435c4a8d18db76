"""Check mode on hosts that are deployed. On bare hosts it is a step of the scenario."""

from __future__ import annotations

import re

from scenario import PROJECT, play


def test_check_mode_on_a_deployed_site_finds_nothing_to_do():
    """--check --diff of the whole site must neither fail nor announce a change."""
    told = play(PROJECT / "site.yml", PROJECT / "molecule/single_host/inventory", "--check", "--diff")
    recap = dict(re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", told, re.MULTILINE))
    assert set(recap) == {"master1", "login1"} and set(recap.values()) == {"0"}, told
