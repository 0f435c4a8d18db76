"""Recorded answers, and the shared files where Ansible has them."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def recorded():
    """The text of a file in recorded/: real answers, cut from the sessions in raycrafter/tests/cluster/recorded/."""
    return lambda name: (HERE / "recorded" / name).read_text()
