"""Test hostile descriptions and templates: no text adds a directive or reaches the shell."""

from __future__ import annotations

import dataclasses
import os
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from module_utils.batch.registry import DIALECTS
from module_utils.batch.script import directives, render
from module_utils.batch.spec import BatchScriptError, BatchSpec
from tests.unit.batch_script.cases import BASE, CASES

EXAMPLES = 10_000 if os.environ.get("TEST_PROFILE") == "all" else 2_000
# Directives, newlines of every sort, shell syntax, and some harmless text.
POISON = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="aZ0-_./ \n\r\x0b\x0c\x1c\x85\u2028#$`;&|'\"\\", max_size=20),
    st.sampled_from(
        ["#PBS -V", "x\n#PBS -l nodes=999", "x\r#SBATCH -V", "$(id)", "workq", "/a/b", "rc1", "a@b.c", "7"]
    ),
)
TEXTS = ["name", "queue", "account", "project", "walltime", "dialect", "launcher", "directory"]
TEXTS += ["array", "workspace", "prologue", "epilogue"]
LISTS = ["modules", "export", "command", "mail_to", "mail_on"]
PREFIXES = tuple({dialect.prefix for dialect in DIALECTS.values()})
FIELDS = {field.name for field in dataclasses.fields(BatchSpec)}
# Text that a shell reads as a part of a word.
PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:,+=@%-]+")


def shape(script: str) -> str:
    """Return the script without directives and with a `w` for every word: the rest is shell syntax."""
    return "\n".join(PLAIN_WORD.sub("w", line) for line in script.split("\n") if not line.startswith(PREFIXES))


def harmless(spec: BatchSpec) -> BatchSpec:
    """Return the description with an `x` for every text."""

    def plain(value: object, text: str = "x") -> object:
        if isinstance(value, str):
            return text
        if isinstance(value, dict):
            return {f"X{number}": "x" for number in range(len(value))}
        return [text] * len(value) if value else value

    changes = {
        name: plain(getattr(spec, name)) for name in ("name", "queue", "account", "modules", "command", "workspace")
    }
    changes |= {name: plain(getattr(spec, name), "/x") for name in ("directory", "prologue", "epilogue")}
    launch = dataclasses.replace(spec.launch, cc="none", e=plain(spec.launch.e))
    return dataclasses.replace(spec, environment=plain(spec.environment), launch=launch, **changes)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    case=st.sampled_from(sorted(CASES)),
    texts=st.dictionaries(st.sampled_from(TEXTS), POISON, max_size=2),
    lists=st.dictionaries(st.sampled_from(LISTS), st.lists(POISON, max_size=2), max_size=1),
    environment=st.dictionaries(POISON, POISON, max_size=1),
    after=st.dictionaries(st.sampled_from(["afterok", "x"]), st.lists(POISON, max_size=1), max_size=1),
    cc=st.one_of(st.just("none"), POISON),
    e=st.dictionaries(POISON, POISON, max_size=1),
)
def test_description_is_refused_or_the_script_has_its_directives(
    case: str, texts: dict, lists: dict, environment: dict, after: dict, cc: str, e: dict
) -> None:
    launch = dataclasses.replace(CASES[case].launch, cc=cc, **({"e": e} if e else {}))
    spec = dataclasses.replace(CASES[case], environment=environment, after=after, launch=launch, **texts, **lists)
    try:
        script = render(spec)
    except BatchScriptError as error:
        assert re.split(r"[.\[]", error.field)[0] in FIELDS and error.reason
        return
    assert script.isascii() and not re.search(r"[^\x20-\x7e\n]", script)
    asked = directives(spec)
    assert [line for line in script.splitlines() if line.startswith(PREFIXES)] == asked
    assert sum(script.count(prefix) for prefix in PREFIXES) == len(asked)
    assert shape(script) == shape(render(harmless(spec)))


LINE = st.one_of(
    st.sampled_from(
        ["#!/bin/bash", "@directives@", "@script@", "# a comment", "", "ulimit -c 0", "#PBS -l feature=ssd"]
    ),
    st.sampled_from(["#PBS -V", "#PBS -q other", "#PBS -l a=1,walltime=9", "#PBS -qother", "#SBATCH --time=1", "#PBS"]),
    POISON,
)


@settings(max_examples=2_000, deadline=None)
@given(
    head=st.lists(LINE, max_size=2),
    middle=st.lists(LINE, max_size=3),
    tail=st.lists(LINE, max_size=1),
    sane=st.booleans(),
)
def test_template_is_refused_or_keeps_the_directives_and_the_script(
    head: list, middle: list, tail: list, sane: bool
) -> None:
    lines = ["#!/bin/bash", "@directives@", *middle, "@script@"] if sane else [*head, *middle, *tail]
    try:
        script = render(BASE, "\n".join(lines))
    except BatchScriptError as error:
        assert error.field == "template" and error.reason
        return
    plain, ours = render(BASE), "\n".join(directives(BASE))
    assert script.startswith("#!/bin/bash\n") and ours in script
    functions, body, end = plain[plain.index(ours) + len(ours) :].partition("rc_guard\numask")
    assert functions in script and script.endswith(body + end)
    seen = [line for line in script.splitlines() if line.startswith("#PBS")]
    assert not [line for line in seen if line not in ours and line.split()[1:2] != ["-l"] and " -" not in line]
    assert sum("walltime" in line for line in seen) == 1 and "#PBS -V" not in seen
