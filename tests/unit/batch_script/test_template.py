"""Test the lines that a site's template may and may not add."""

from __future__ import annotations

import dataclasses

import pytest

from module_utils.batch.script import directives, render
from module_utils.batch.spec import BatchScriptError
from module_utils.batch.template import commands
from tests.unit.batch_script.cases import BASE

SLURM = dataclasses.replace(BASE, dialect="slurm", launcher="none")


def template(*middle: str) -> str:
    return "\n".join(["#!/bin/bash", "@directives@", *middle, "@script@", ""])


def test_template_lines_follow_the_directives_of_the_description() -> None:
    lines = render(BASE, template("#PBS -l feature=ssd,gres=x", "#PBS -W x=y", "", "ulimit -c 0")).splitlines()
    ours = len(directives(BASE))
    assert lines[1 : ours + 1] == directives(BASE)
    assert lines[ours + 1 : ours + 5] == ["#PBS -l feature=ssd,gres=x", "#PBS -W x=y", "", "rc_finish() {"]
    place = lines.index("ulimit -c 0")
    assert lines[place - 2 : place + 2] == ["rc_stage=94", "rc_guard", "ulimit -c 0", "rc_guard"]


def test_slurm_directives_have_long_names() -> None:
    assert "\n#SBATCH --constraint=ssd\n" in render(SLURM, template("#SBATCH --constraint=ssd"))


def test_template_commands_keep_their_line_numbers() -> None:
    assert commands(template("# why", "#PBS -l a=1", "ulimit -c 0")) == "\n\n\n\nulimit -c 0"


BAD = [
    ("@directives@\n@script@", "line 1: must be #!/bin/bash"),
    ("#!/bin/bash\n@script@", "one line must be @directives@ and nothing else, found 0"),
    ("#!/bin/bash\n@script@\n@directives@", "line 2: @directives@ comes before @script@"),
    ("#!/bin/bash\nset -e\n@directives@\n@script@", "line 2: only comments may come before @directives@"),
    ("#!/bin/bash\n#PBS -l a=1\n@directives@\n@script@", "line 2: directives come after @directives@"),
    ("#!/bin/bash\n@directives@\n@script@\necho done", "line 4: nothing may follow @script@"),
    (template("echo \x07"), "line 3: plain ASCII"),
    (template("export A=1 \\"), "line 3: no line may end with a backslash"),
    (template("#PBS -l a=1\\"), "line 3: no line may end with a backslash"),
    (template("echo x", "#PBS -l a=1"), "line 4: schedulers ignore a directive after a command"),
    (template("#PBS -q other"), "line 3: -q: the description sets it"),
    (template("#PBS -qother"), "line 3: write one option a line, as in '#PBS -l feature=ssd'"),
    (template("#PBS -l a=1 -q other"), "line 3: write one option a line"),
    (template("#PBS -l a=1,walltime=99:00:00"), "line 3: -l walltime: the description sets it"),
    (template("#PBS -l a=1", "#PBS -l a=2"), "line 4: -l a: the description sets it, or no template may set it"),
    (template("#PBS -V"), "line 3: -V: the description sets it, or no template may set it"),
    (template("#PBS -t 0-9"), "line 3: -t: the description sets it, or no template may set it"),
    (template("#SBATCH --time=1"), "line 3: write one option a line, as in '#PBS"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_line_that_would_break_the_script_is_refused_by_number(text: str, message: str) -> None:
    with pytest.raises(BatchScriptError) as caught:
        render(BASE, text)
    assert str(caught.value).startswith(f"template: {message}")


@pytest.mark.parametrize("text", [None, b"x", 7, ["#!/bin/bash"]])
def test_template_of_another_type_is_refused(text: object) -> None:
    with pytest.raises(BatchScriptError, match="template: a text, got"):
        render(BASE, text)


SLURMS = [
    "-t 99",
    "--time=99",
    "--tim=99",
    "--export=ALL",
    "--array=1-2",
    "--arr=1-2",
    "--ntasks=9",
    "--nodes=9",
    "--requeue",
]
SLURMS += [
    "--cpus-per-task=9",
    "--wrap=true",
    "--wait",
    "--hold",
    "--parsable",
    "--clusters=other",
    "--constraint='a b'",
]


@pytest.mark.parametrize("option", SLURMS)
def test_slurm_aliases_are_refused(option: str) -> None:
    with pytest.raises(BatchScriptError, match="line 3"):
        render(SLURM, template(f"#SBATCH {option}"))


PBSES = [
    "-l mppwidth=9",
    "-l procs=9",
    "-l nodes=9",
    "-l ncpus=9",
    "-l select=9",
    "-l place=pack",
    "-l NODES=9",
    '-l "nodes=9"',
]
PBSES += ["-l feature=ssd,procs=9", "-W depend=afterok:1", "-W block=true", "-I", "-h", "-z", "-J 0-1", "-t 0-1"]


@pytest.mark.parametrize("dialect", ["torque", "torque_cray", "pbspro"])
@pytest.mark.parametrize("option", PBSES)
def test_pbs_aliases_are_refused(dialect: str, option: str) -> None:
    with pytest.raises(BatchScriptError, match="line 3"):
        render(dataclasses.replace(BASE, dialect=dialect), template(f"#PBS {option}"))


def test_no_requeue_line_is_accepted_for_torque_alone() -> None:
    line = "#SBATCH --no-requeue"
    assert f"\n{line}\n" in render(BASE, template("#PBS -l feature=ssd", line, "ulimit -c 0"))
    for spec, lines in ((BASE, [line, line]), (BASE, ["ulimit -c 0", line]), (SLURM, [line])):
        with pytest.raises(BatchScriptError, match=r"line [34]"):
            render(spec, template(*lines))
