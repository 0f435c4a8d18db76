"""Test that programs of the hosts run on Python 3.10 of Ubuntu 22.04."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OLDEST = (3, 10)
# Names that the next version added to commonly used modules.
NEWER = {
    "asyncio": {"Barrier", "Runner", "TaskGroup", "timeout"},
    "contextlib": {"chdir"},
    "datetime": {"UTC"},
    "enum": {"EnumCheck", "ReprEnum", "StrEnum", "member", "nonmember", "verify"},
    "hashlib": {"file_digest"},
    "logging": {"getLevelNamesMapping"},
    "math": {"cbrt", "exp2"},
    "operator": {"call"},
    "typing": {"LiteralString", "Never", "NotRequired", "Required", "Self", "Unpack", "assert_never", "assert_type"},
    "tomllib": {"load", "loads"},
}
MODULES = {"tomllib"}
BUILTINS = {"BaseExceptionGroup", "ExceptionGroup"}
METHODS = {"add_note"}
FILES = [
    path.relative_to(ROOT)
    for place in ("library", "module_utils", "roles/*/files")
    for path in ROOT.glob(f"{place}/**/*.py")
]


def too_new(source: str) -> list[str]:
    """Return the names in a program that the oldest Python does not have.

    Raises SyntaxError for newer syntax.
    """
    found = []
    for node in ast.walk(ast.parse(source, feature_version=OLDEST)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name in MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [name.name for name in node.names if name.name in NEWER.get(node.module or "", ())]
        elif isinstance(node, ast.Name) and node.id in BUILTINS:
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in NEWER.get(owner, ()) or node.attr in METHODS:
                found.append(f"{owner}.{node.attr}")
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("fromisoformat"):
            # Graylog's times end in Z, which Python before 3.11 does not parse.
            found += [] if "replace('Z', '+00:00')" in ast.unparse(node) else [ast.unparse(node)]
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_host_program_fits_oldest_python(path):
    assert too_new((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC",
        "import tomllib",
        "import datetime\ndatetime.UTC",
        "raise ExceptionGroup('', [])",
        "datetime.fromisoformat(text)",
    ],
)
def test_newer_names_are_detected(source):
    assert too_new(source)


def test_newer_syntax_is_detected():
    with pytest.raises(SyntaxError):
        too_new("try:\n    pass\nexcept* OSError:\n    pass")
