"""Test that docs/testing.md lists all samples that are not recorded."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = ["tests", "raycrafter/tests", "raycrafter_client/tests", "raycrafter_cli/tests", "molecule", "lab"]
# The start of a comment: `# not recorded: <sample>; form: <documentation of its format>`
MARK = "not recorded: "
HEADING = "## Samples that nobody recorded\n"


def marked() -> list[str]:
    """Return the files with such a comment, relative to the project."""
    files = [path for place in PLACES for path in (ROOT / place).rglob("*") if path.is_file() and not path.is_symlink()]
    found = [path for path in files if path.suffix != ".pyc" and MARK in path.read_text(errors="replace")]
    return sorted(str(path.relative_to(ROOT)) for path in found if path != Path(__file__))


def listed() -> list[str]:
    """Return the files and directories of the table; a directory ends with a slash."""
    section = (ROOT / "docs/testing.md").read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    return [path for row in rows for path in re.findall(r"`([^`]+)`", row[2])]


def covers(entry: str, path: str) -> bool:
    return path.startswith(entry) if entry.endswith("/") else path == entry


def test_file_with_a_sample_is_in_the_table() -> None:
    assert [path for path in marked() if not any(covers(entry, path) for entry in listed())] == []


def test_file_in_the_table_has_a_sample() -> None:
    assert [entry for entry in listed() if not any(covers(entry, path) for path in marked())] == []
