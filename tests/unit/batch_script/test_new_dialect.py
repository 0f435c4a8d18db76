"""Add a third family of schedulers (LSF) with one entry, and test that every check covers it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from module_utils.batch.dialect import Dialect
from module_utils.batch.launchers import LAUNCHERS, Launcher
from module_utils.batch.registry import DIALECTS, of_all
from module_utils.batch.script import directives, render
from module_utils.batch.spec import BatchScriptError, BatchSpec, Launch, Node
from tests.unit.batch_script.cases import BASE, EVERYTHING


def _bsub(spec: BatchSpec) -> list[str]:
    name = f"{spec.name}[{spec.array}]" if spec.array else spec.name
    lines = [f"-J {name}", f"-q {spec.queue}", f"-n {spec.nodes * spec.cores_per_node}", f"-o {spec.directory}/out"]
    waits = [f"done({one})" for ids in spec.after.values() for one in ids]
    return [*lines, f"-w {'&&'.join(waits)}"] if waits else lines


LSF = Dialect(
    "#BSUB",
    _bsub,
    array="-J",
    job_id=re.compile(r"[0-9]{1,18}"),
    job_id_env="LSB_JOBID",
    index_env="LSB_JOBINDEX",
    never=frozenset({"-I", "-K"}),
    env_prefixes=("LSB_",),
    lacks={"workspace": "this site has none"},
    example="-R rusage[mem=1]",
)
JSRUN = Launcher(lambda spec: ["jsrun", "-n", str(spec.launch.n)], LAUNCHERS["srun"].check, {"JSM_X": "1"})


@pytest.fixture
def spec(monkeypatch) -> BatchSpec:
    monkeypatch.setitem(DIALECTS, "lsf", LSF)
    monkeypatch.setitem(LAUNCHERS, "jsrun", JSRUN)
    return dataclasses.replace(BASE, dialect="lsf", launcher="jsrun")


def template(*lines: str) -> str:
    return "\n".join(["#!/bin/bash", "@directives@", *lines, "@script@", ""])


def test_new_directives_and_launcher_are_in_the_script(spec) -> None:
    script = render(spec, template("#BSUB -R span[hosts=1]", "ulimit -c 0"))
    lines = [line for line in script.splitlines() if line.startswith("#BSUB")]
    assert lines == [*directives(spec), "#BSUB -R span[hosts=1]"]
    assert "\nexport JSM_X=1\n" in script and "\njsrun -n 1 /lustre/" in script


def test_job_finds_its_id_and_index(spec, tmp_path: Path) -> None:
    own = {"launcher": "none", "launch": Launch(), "node": Node(), "cores_per_node": 1, "command": ["/bin/false"]}
    path = tmp_path / "job.sh"
    path.write_text(render(dataclasses.replace(spec, directory=str(tmp_path), array="1-3", **own)))
    environment = {"PATH": "/usr/bin:/bin", "LSB_JOBID": "77", "LSB_JOBINDEX": "2"}
    assert subprocess.run(["bash", path], env=environment, timeout=30, check=False).returncode == 1
    assert (tmp_path / "exit.2").read_text() == "77 1\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queue": "q\n#BSUB -n 999"}, "queue: letters"),
        ({"workspace": "mine"}, "workspace: this site has none"),
        ({"after": {"afterok": ["17.server"]}}, "after[afterok][0]: a job id of lsf's, got '17.server'"),
        ({"environment": {"LSB_JOBID": "1"}}, "environment[LSB_JOBID]: it is the scheduler's or the launcher's"),
        ({"environment": {"LSB_QUEUE": "1"}}, "environment[LSB_QUEUE]: it is the scheduler's or the launcher's"),
        ({"environment": {"JSM_X": "0"}}, "environment[JSM_X]: it is the scheduler's or the launcher's"),
        ({"launch": Launch(d=99)}, "launch.d: N*d <= cores_per_node*j does not hold"),
    ],
)
def test_field_that_does_not_fit_is_refused(spec, changes: dict, message: str) -> None:
    with pytest.raises(BatchScriptError) as caught:
        render(dataclasses.replace(spec, **changes))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("#BSUB -n 999", "line 3: -n: the description sets it"),
        ("#BSUB -K", "line 3: -K: the description sets it, or no template may set it"),
        ("#BSUB -n9", "line 3: write one option a line, as in '#BSUB -R rusage[mem=1]'"),
        ("#PBS -l a=1", "line 3: write one option a line, as in '#BSUB"),
    ],
)
def test_template_cannot_set_a_field_again(spec, line: str, message: str) -> None:
    with pytest.raises(BatchScriptError, match=re.escape(message)):
        render(spec, template(line))


def test_other_dialects_refuse_its_directives_and_find_its_job_id(spec) -> None:
    """Templates of other dialects refuse its directives, and their jobs look for its id, too."""
    assert "#BSUB" in of_all("prefix") and "${LSB_JOBID:-unknown}" in render(BASE)
    with pytest.raises(BatchScriptError, match="line 3: write one option a line, as in '#PBS"):
        render(BASE, template("#BSUB -n 999"))


def test_other_fields_need_no_change(spec) -> None:
    changes = EVERYTHING | {"after": {}, "workspace": None}
    assert "#BSUB -J rc4k2mz7qwx9abc[0-99%5]\n" in render(dataclasses.replace(spec, **changes))
