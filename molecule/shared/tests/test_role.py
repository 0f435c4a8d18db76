"""What is true of every role on a host that it has made ready."""

import re

from scenario import deploy


def test_check_mode_on_a_deployed_host_finds_nothing_to_do():
    """--check --diff must neither fail nor announce a change."""
    told = deploy("--check", "--diff")
    recap = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", told, re.MULTILINE)
    assert recap and all(changed == "0" for _, changed in recap), told
