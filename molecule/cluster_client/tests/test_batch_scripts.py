"""A real batch system accepts the module's scripts and grants resources."""

from __future__ import annotations

import dataclasses
import re

import pytest
from scenario import wait_for

from module_utils.batch.script import render
from module_utils.batch.spec import BatchSpec, Launch, Node

# Torque's directives through Slurm's Torque commands, and Slurm's own.
SUBMIT = {"torque": "qsub", "slurm": "sbatch --parsable"}
ACCEPTED = [("torque", "aprun"), ("torque", "none"), ("slurm", "srun"), ("slurm", "none")]
PROGRAM = "nproc >cores; echo $ANSWER >answer"


@pytest.fixture
def directory(login):
    """Return a directory of this test that the compute node shares."""
    path = login.check_output("mktemp -d /lustre/ws/scripts.XXXXXX")
    yield path
    login.check_output(f"rm -rf {path}")


def description(dialect: str, launcher: str, directory: str) -> BatchSpec:
    """Return a job that requests the node's two cores and prints how many it got."""
    return BatchSpec(
        name=f"rc-{launcher}",
        queue="workq",
        nodes=1,
        cores_per_node=2,
        walltime="00:03:00",
        dialect=dialect,
        launcher=launcher,
        directory=directory,
        command=["/usr/bin/env", f"--chdir={directory}", "sh", "program"],
        launch=Launch(n=1, N=1, d=2),
        node=Node(cores=2),
        environment={"ANSWER": "42"},
    )


def submit(login, dialect: str, directory: str, script: str, program: str = PROGRAM, before: str = "true") -> str:
    """Run `before`, submit a script from the same shell, and return the job's number."""
    login.check_output("printf '%%s' %s >%s", program, f"{directory}/program")
    login.check_output("printf '%%s' %s >%s", script, f"{directory}/job.sh")
    return login.check_output(f"cd {directory} && {before} && {SUBMIT[dialect]} job.sh").split(".")[0]


def granted(login, number: str) -> dict[str, str]:
    """Return the properties that scontrol shows for a job."""
    return dict(re.findall(r"(\w+)=(\S+)", login.check_output(f"scontrol --oneliner show job {number}")))


def exit_file(login, directory: str, name: str = "exit") -> list[str]:
    """Wait for the exit file and return its job id and exit code."""
    return wait_for("the job has ended", lambda: login.run(f"cat {directory}/{name}").stdout.split(), 180)


@pytest.mark.parametrize(("dialect", "launcher"), ACCEPTED)
def test_script_is_accepted_granted_and_run(login, directory, dialect, launcher):
    spec = description(dialect, launcher, directory)
    number = submit(login, dialect, directory, render(spec))
    native, code = exit_file(login, directory)
    assert native.split(".")[0] == number and code == "0"
    given = granted(login, number)
    assert (given["JobName"], given["Partition"]) == (spec.name, spec.queue)
    assert (given["NumNodes"], given["NumCPUs"]) == ("1", "2")
    assert given["TimeLimit"] == "00:03:00"
    # Slurm's Torque commands ignore -r.
    assert given["Requeue"] == ("0" if dialect == "slurm" else "1")
    assert login.check_output(f"cat {directory}/answer {directory}/cores").split() == ["42", "2"]


@pytest.mark.parametrize("dialect", ["torque", "slurm"])
def test_each_array_task_writes_its_exit_file(login, directory, dialect):
    spec = dataclasses.replace(description(dialect, "none", directory), array="0-1%1")
    submit(login, dialect, directory, render(spec), program="echo x >>ran.$SLURM_ARRAY_TASK_ID")
    for index in ("0", "1"):
        assert exit_file(login, directory, f"exit.{index}")[1] == "0"
    assert login.check_output(f"cat {directory}/ran.0 {directory}/ran.1").split() == ["x", "x"]
    assert not login.file(f"{directory}/exit").exists


@pytest.mark.parametrize("dialect", ["torque", "slurm"])
def test_job_waits_for_its_dependency(login, directory, dialect):
    first = dataclasses.replace(description(dialect, "none", directory), name="rc-first", directory=f"{directory}/1")
    login.check_output(f"mkdir {directory}/1")
    wait = "timeout 60 sh -c 'until [ -e go ]; do sleep 0.2; done'"
    first = dataclasses.replace(first, command=["/usr/bin/env", f"--chdir={directory}/1", "sh", "program"])
    number = submit(login, dialect, f"{directory}/1", render(first), program=wait)
    second = dataclasses.replace(description(dialect, "none", directory), after={"afterok": [number]})
    waiting = submit(login, dialect, directory, render(second))
    assert f"afterok:{number}" in granted(login, waiting)["Dependency"]
    login.check_output(f"touch {directory}/1/go")
    assert exit_file(login, directory)[1] == "0"


@pytest.mark.parametrize("dialect", ["torque", "slurm"])
def test_exported_variables_reach_the_job(login, directory, dialect):
    spec = dataclasses.replace(description(dialect, "none", directory), export=["SEEN"])
    before = "export SEEN=yes HIDDEN=yes"
    submit(login, dialect, directory, render(spec), 'echo "$SEEN/$HIDDEN" >answer', before)
    assert exit_file(login, directory)[1] == "0"
    seen, hidden = login.check_output(f"cat {directory}/answer").split("/")
    # Slurm's Torque commands export the whole environment, as sbatch does by default.
    assert seen == "yes" and (hidden == "" or dialect == "torque")


def test_template_lines_are_read_and_run(login, directory):
    """The template tells Slurm behind Torque's commands not to requeue the job."""
    lines = ["#!/bin/bash", "@directives@", "#SBATCH --no-requeue", "export SITE=ours", "@script@", ""]
    script = render(description("torque", "none", directory), "\n".join(lines))
    number = submit(login, "torque", directory, script, program="echo $SITE >answer")
    assert exit_file(login, directory)[1] == "0"
    assert login.check_output(f"cat {directory}/answer") == "ours"
    assert granted(login, number)["Requeue"] == "0"


def test_aprun_refuses_an_oversized_placement(login, directory):
    script = render(description("torque", "aprun", directory))
    assert "-n 1 -N 1 -d 2" in script
    submit(login, "torque", directory, script.replace("-n 1 -N 1 -d 2", "-n 2 -N 2 -d 2"))
    assert exit_file(login, directory)[1] == "1"
    # Slurm's Torque commands always write the output there.
    output = login.check_output(f"cat {directory}/job.sh.e*")
    assert "aprun: -N 2 times -d 2 exceeds the 2 cpus of a node" in output
