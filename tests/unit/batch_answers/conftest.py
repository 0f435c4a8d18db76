"""Provide recorded answers."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def recorded():
    """Return recorded(name), the text of a file in recorded/.

    The files are cut from the sessions in raycrafter/tests/cluster/recorded/.
    """
    return lambda name: (HERE / "recorded" / name).read_text()
