"""Recorded answers, and the shared files where Ansible has them."""

from __future__ import annotations

from pathlib import Path

import ansible.module_utils
import pytest

HERE = Path(__file__).parent

# batch_jobs imports batch_answers from its own package, which is this one on the hosts.
ansible.module_utils.__path__.append(str(HERE.parents[2] / "module_utils"))


@pytest.fixture(scope="session")
def recorded():
    """The text of a file in recorded/: real answers, cut from the sessions in raycrafter/tests/cluster/recorded/."""
    return lambda name: (HERE / "recorded" / name).read_text()
