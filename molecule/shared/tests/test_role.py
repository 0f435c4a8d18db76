"""Test every role on a deployed host."""

import re

from scenario import deploy


def test_check_mode_reports_no_change_on_a_deployed_host():
    """--check --diff must neither fail nor report a change."""
    output = deploy("--check", "--diff")
    recap = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
    assert recap and all(changed == "0" for _, changed in recap), output
