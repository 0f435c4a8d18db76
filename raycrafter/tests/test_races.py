"""Compare-and-set under load, on a database file of its own: the test database in memory knows no second connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_many_at_once(tmp_path: Path) -> None:
    environment = os.environ | {
        "RAYCRAFTER_DEV_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "raycrafter.settings",
        "RAYCRAFTER_LOG_LEVEL": "ERROR",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment.pop("RAYCRAFTER_CONFIG", None)
    program = Path(__file__).with_name("races.py")
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
