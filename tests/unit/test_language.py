"""Test that task names are imperative and that texts use the glossary."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Directories that follow STYLE.md.
DIRECTORIES = [
    "callback_plugins",
    "doc_fragments",
    "docs",
    "filter_plugins",
    "group_vars",
    "inventories",
    "lab",
    "library",
    "lookup_plugins",
    "module_utils",
    "molecule",
    "playbooks",
    "raycrafter",
    "raycrafter_cli",
    "raycrafter_client",
    "roles",
    "tests/unit/batch_answers",
    "tests/unit/batch_script",
    "tests/unit/graylog",
    "tools",
]
FILES = [ROOT / "site.yml"] + [
    path
    for directory in DIRECTORIES
    for path in sorted((ROOT / directory).rglob("*"))
    if path.is_file() and path.suffix != ".pyc"
]

NAME = re.compile(r"^ *- name: ['\"]?(?:\w+ \| )?(.+?)['\"]?$", re.MULTILINE)
# First words of names that describe a state instead of an action: pronouns, articles, and nouns of this project.
NO_VERBS = re.compile(
    r"an?|all|an?other|any\w*|both|each|either|every\w*|he|her|his|its?|many|more|my|neither|no|nobody|none|not|nothing|ones?"
    r"|or|others?|ours?|she|some\w*|such|that|the|theirs?|them|there|these|they|this|those|to|two|we|what\w*|when|where"
    r"|whether|which|who\w*|why|yours?"
    r"|ansible|apparmor|certificates?|celery|clients?|clusters?|databases?|director(?:y|ies)|django|elasticsearch|erlang\w*"
    r"|files?|flower|frames?|graylog\w*|gridftp|hosts?|jobs?|keys?|memcached|messages?|molecule|mongodb|nginx|nodes?"
    r"|opensearch|packages?|passwords?|postgresql|programs?|rabbitmq|roles?|rsyslog|secrets?|services?|settings?|supervisor"
    r"|systemd|tables?|timers?|tokens?|units?|users?|workers?",
    re.IGNORECASE,
)
# Only a subordinate clause may describe a state: "Fail if the key is missing".
SUBORDINATE = re.compile(r" (?:as|because|if|so|that|unless|until|when|where|which|while|who|whose) ")
STATE = re.compile(r"\b(?:am|are|can|does|had|has|have|is|may|must|was|were|will)\b")
# Words of the glossary's right column that have no other meaning here.
GLOSSARY = re.compile(r"(?<![a-z])(?:wish(?:es|ed)?|mend(?:s|ed|ing)?|shall)(?![a-z])", re.IGNORECASE)
TEST = re.compile(r"^def (test_(?:it|its|nobody|nothing|one|somebody|they|there|what|who|whoever)_\w+)", re.MULTILINE)


def has_names(path: Path) -> bool:
    """Return whether a file has plays, tasks or handlers."""
    parts = path.relative_to(ROOT).parts
    if path.suffix != ".yml" or path.name == "molecule.yml":
        return False
    in_scenario = parts[0] == "molecule" and len(parts) == 3
    return in_scenario or parts[0] in {"playbooks", "site.yml"} or bool({"tasks", "handlers"} & {*parts})


def is_imperative(name: str) -> bool:
    """Return whether a name begins with a verb and its main clause has no state."""
    return not NO_VERBS.fullmatch(re.split(r"\W", name)[0]) and not STATE.search(SUBORDINATE.split(name)[0])


def found(pattern: re.Pattern, path: Path) -> list[str]:
    """Return the matches of a pattern in a text file, with the file's path."""
    text = path.read_text(encoding="utf-8", errors="ignore")
    return [f"{path.relative_to(ROOT)}: {match}" for match in pattern.findall(text)]


@pytest.mark.parametrize(
    "name",
    ["It does", "There is what they are told of", "Files have gone", "Whether it runs is known", "The unit dies"],
)
def test_names_without_a_verb_are_found(name):
    assert not is_imperative(name)


@pytest.mark.parametrize("name", ["Reload systemd", "Fail if the key is missing", "Remove files that are not listed"])
def test_imperative_names_pass(name):
    assert is_imperative(name)


def test_task_names_begin_with_a_verb():
    names = [entry for path in FILES if has_names(path) for entry in found(NAME, path)]
    assert len(names) > 200  # the pattern still finds names
    assert [entry for entry in names if not is_imperative(entry.split(": ", 1)[1])] == []


def test_texts_use_the_words_of_the_glossary():
    assert [match for path in FILES for match in found(GLOSSARY, path)] == []


def test_test_names_begin_with_their_subject():
    assert [match for path in FILES if path.suffix == ".py" for match in found(TEST, path)] == []


def test_commit_subjects_are_short():
    # A shallow clone has fewer commits, a released archive has none.
    log = ["git", "log", "--no-merges", "--since=2026-12-01T00:00:00Z", "--format=%s"]
    subjects = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [subject for subject in subjects if len(subject) > 72] == []
