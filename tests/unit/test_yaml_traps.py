"""Test that no YAML file has an expression that Ansible reads otherwise than its author meant."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = subprocess.check_output(["git", "ls-files", "*.yml"], cwd=ROOT, text=True).split()


class Loader(yaml.SafeLoader):
    """A loader that composes nodes and ignores Ansible's tags."""


def scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yield all scalars of a document."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for inner in pair:
                yield from scalars(inner)
    elif isinstance(node, yaml.SequenceNode):
        for inner in node.value:
            yield from scalars(inner)


def literal_newlines(text: str) -> list[int]:
    r"""Return the lines of block scalars with join('\n'), which joins by a backslash and an n there."""
    found = []
    for document in yaml.compose_all(text, Loader):
        for node in scalars(document) if document else []:
            if node.style in (">", "|") and re.search(r"""join\(\s*['"]\\n['"]""", node.value):
                found.append(node.start_mark.line + 1)
    return found


def test_no_block_scalar_joins_by_a_newline():
    assert {name: lines for name in FILES if (lines := literal_newlines((ROOT / name).read_text()))} == {}


def test_trap_is_found_in_block_scalars_only():
    folded = "a: >-\n  {{ names | join('\\n') }}\n"
    quoted = "a: \"{{ names | join('\\n') }}\"\n"
    assert (literal_newlines(folded), literal_newlines(quoted)) == ([1], [])
