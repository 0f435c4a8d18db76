"""Run the module batch_script by Ansible: check mode, diff, a second run, attributes, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from module_utils.batch.script import render
from module_utils.batch.spec import BatchSpec, Launch, Node
from tests.unit.adhoc import run_module

ARGUMENTS = {
    "name": "rc-selftest",
    "queue": "workq",
    "cores_per_node": 24,
    "walltime": "00:05:00",
    "dialect": "torque",
    "launcher": "aprun",
    "launch": {"d": 24},
    "node": {"cores": 24, "numa_nodes": 2, "hyperthreads": 2},
    "directory": "/lustre/sw/raycrafter",
    "environment": {"OMP_NUM_THREADS": 24},
    "command": ["/lustre/sw/raycrafter/current/bin/python", "-m", "raycrafter_client", "selftest"],
    "mode": "0640",
}
SCRIPT = render(
    BatchSpec(
        name="rc-selftest",
        queue="workq",
        nodes=1,
        cores_per_node=24,
        walltime="00:05:00",
        dialect="torque",
        launcher="aprun",
        launch=Launch(d=24),
        node=Node(24, 2, 2),
        directory="/lustre/sw/raycrafter",
        environment={"OMP_NUM_THREADS": "24"},
        command=ARGUMENTS["command"],
    )
)


@pytest.fixture
def call(tmp_path: Path):
    """Return call(*flags, **changes), which runs the module on this host."""

    def run(*flags: str, **changes) -> dict:
        arguments = {"dest": str(tmp_path / "job.sh"), **ARGUMENTS, **changes}
        return run_module("batch_script", arguments, *flags, home=tmp_path / "ansible")

    return run


def test_check_mode_shows_then_run_writes_and_second_run_changes_nothing(call, tmp_path: Path) -> None:
    job = tmp_path / "job.sh"
    check = call("--check", "--diff")
    assert check["changed"] and not job.exists()
    assert "+#PBS -l nodes=1:ppn=24" in check["output"]

    first = call()
    assert first["changed"] and first["walltime_seconds"] == 300
    assert job.read_text() == SCRIPT
    assert job.stat().st_mode & 0o777 == 0o640
    assert [line for line in job.read_text().splitlines() if line.startswith("#PBS")] == first["directives"]

    job.chmod(0o600)
    assert call("--check")["changed"] and job.stat().st_mode & 0o777 == 0o600
    assert call()["changed"] and job.stat().st_mode & 0o777 == 0o640
    assert not call()["changed"]


def test_script_is_installed_only_if_validate_succeeds(call, tmp_path: Path) -> None:
    job = tmp_path / "job.sh"
    refused = call(validate="grep nosuch %s")
    assert refused["failed"] and refused["msg"].startswith("validate: grep nosuch /") and not job.exists()
    assert call(validate="bash -n %s")["changed"] and job.read_text() == SCRIPT
    assert "must have %s" in call(validate="true")["msg"]


def test_yaml_numbers_are_text_in_a_script(call, tmp_path: Path) -> None:
    call(environment={"A": 7}, after={"afterok": [17]})
    script = (tmp_path / "job.sh").read_text()
    assert "\nexport A=7\n" in script and "\n#PBS -W depend=afterok:17\n" in script


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"queue": "q\n#PBS -V"}, ["'rc-selftest'", "queue: letters"]),
        ({"launch": {"d": 48}}, ["launch.d: N*d <= cores_per_node*j does not hold: 1*48 = 48 > 24*1 = 24"]),
        ({"launch": {"x": 1}}, ["launch does not fit: x", "Supported parameters"]),
        ({"launch": {"d": "many"}}, ["launch does not fit", "'d'"]),
        ({"launch": {"e": {"A": None}}}, ["launch.e[A]: a value", "got None"]),
        ({"environment": {"A": None}}, ["environment[A]: a value", "got None"]),
        ({"environment": {"A": True}}, ["environment[A]: a value", "got True"]),
        ({"after": {"afterok": "17"}}, ["after[afterok]: a list, got '17'"]),
        ({"after": {"afterok": 17}}, ["after[afterok]: a list, got 17"]),
        ({"after": {"afterok": None}}, ["after[afterok]: a list, got None"]),
        ({"after": {"afterok": [None]}}, ["after[afterok][0]: a job id of torque's, got None"]),
        (
            {"template": "#!/bin/bash\n@directives@\nif true; then\n@script@\n"},
            ["template: bash cannot read", "unexpected"],
        ),
        (
            {"template": "#!/bin/bash\n@directives@\ncat <<X\n@script@\n"},
            ["template: bash cannot read", "(wanted `X')"],
        ),
        ({"dest": "/nonexistent/job.sh"}, ["/nonexistent does not exist", "create it first"]),
    ],
)
def test_refusal_names_the_field(call, tmp_path: Path, changes: dict, parts: list[str]) -> None:
    answer = call(**changes)
    assert answer["failed"] and all(part in answer["msg"] for part in parts), answer["msg"]
    assert not (tmp_path / "job.sh").exists()
