"""What is true of every role on a host that it has made ready."""

import os
import re
import subprocess
from pathlib import Path


def test_check_mode_on_a_deployed_host_finds_nothing_to_do():
    """--check --diff must neither fail nor announce a change."""
    playbook = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], "molecule/shared/converge.yml")
    inventory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "inventory")
    command = ["ansible-playbook", "--check", "--diff", "--inventory", inventory, playbook]
    plain = os.environ | {"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, env=plain)
    recap = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", run.stdout, re.MULTILINE)
    assert run.returncode == 0 and recap and all(changed == "0" for _, changed in recap), run.stdout + run.stderr
