"""Check mode on a deployed host. On a bare host it is a step of the scenario."""

from __future__ import annotations

import re

from scenario import PROJECT, play

from lab.copy_inventory import directory


def test_check_mode_reports_no_change_on_a_deployed_site():
    """Run --check --diff on the whole site, which must report no change."""
    output = play(PROJECT / "site.yml", directory(), "--check", "--diff")
    recap = dict(re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE))
    assert set(recap) == {"master1", "login1"} and set(recap.values()) == {"0"}, output
