"""A real batch system takes the module's scripts, and grants what they ask for."""

from __future__ import annotations

import re

import pytest
from scenario import wait_for

from module_utils.batch_script import render
from module_utils.batch_spec import BatchSpec, Launch, Node

# Torque's directives by way of Slurm's Torque commands, and Slurm's own.
SUBMIT = {"torque": "qsub", "slurm": "sbatch --parsable"}
TAKEN = [("torque", "aprun"), ("torque", "none"), ("slurm", "srun"), ("slurm", "none")]


@pytest.fixture
def directory(login):
    """A directory of the test's own that the compute node sees too."""
    made = login.check_output("mktemp -d /lustre/ws/scripts.XXXXXX")
    yield made
    login.check_output(f"rm -rf {made}")


def description(dialect: str, launcher: str, directory: str) -> BatchSpec:
    """A job that asks for the compute node's two cores and tells how many its program got."""
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


def submit(login, dialect: str, directory: str, script: str) -> str:
    """Submit a script; return the job's number."""
    login.check_output("printf '%%s' %s >%s", "nproc >cores; echo $ANSWER >answer", f"{directory}/program")
    login.check_output("printf '%%s' %s >%s", script, f"{directory}/job.sh")
    return login.check_output(f"cd {directory} && {SUBMIT[dialect]} job.sh").split(".")[0]


def granted(login, number: str) -> dict[str, str]:
    """Return what the scheduler gave a job that has run, in scontrol's words."""
    return dict(re.findall(r"(\w+)=(\S+)", login.check_output(f"scontrol --oneliner show job {number}")))


def exit_file(login, directory: str) -> list[str]:
    """Return job id and exit code, as the script left them, once they are there."""
    return wait_for("the job has ended", lambda: login.run(f"cat {directory}/exit").stdout.split(), 90)


@pytest.mark.parametrize(("dialect", "launcher"), TAKEN)
def test_it_is_taken_granted_and_run(login, directory, dialect, launcher):
    spec = description(dialect, launcher, directory)
    number = submit(login, dialect, directory, render(spec))
    native, code = exit_file(login, directory)
    assert native.split(".")[0] == number and code == "0"
    given = granted(login, number)
    assert (given["JobName"], given["Partition"]) == (spec.name, spec.queue)
    assert (given["NumNodes"], given["NumCPUs"]) == ("1", "2")
    assert given["TimeLimit"] == "00:03:00"
    # Slurm's Torque commands pass over -r.
    assert given["Requeue"] == ("0" if dialect == "slurm" else "1")
    assert login.check_output(f"cat {directory}/answer {directory}/cores").split() == ["42", "2"]


def test_aprun_refuses_what_the_module_would_not_write(login, directory):
    script = render(description("torque", "aprun", directory))
    assert "-n 1 -N 1 -d 2" in script
    submit(login, "torque", directory, script.replace("-n 1 -N 1 -d 2", "-n 2 -N 2 -d 2"))
    assert exit_file(login, directory)[1] == "1"
    # Where Slurm's Torque commands put it, whatever the script asks for.
    output = login.check_output(f"cat {directory}/job.sh.e*")
    assert "aprun: -N 2 times -d 2 exceeds the 2 cpus of a node" in output
