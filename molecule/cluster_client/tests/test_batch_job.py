"""The module batch_job runs and cancels jobs by name on a real batch system."""

from __future__ import annotations

import json

import pytest
from scenario import wait_for

from module_utils.batch.script import render
from module_utils.batch.spec import BatchSpec, Node

NAME = "rc-module"
# A cancelled job that is still completing does not count.
QUEUED = "squeue --noheader --states=RUNNING,PENDING"
# Slurm behind Torque's commands, and by its own: the scheduler, and the dialect of its directives.
DIALECTS = {"slurm_torque": "torque", "slurm": "slurm"}


@pytest.fixture(params=DIALECTS)
def job(request, login):
    """Return job(program, **options), which runs the module for a shell program."""
    directory = login.check_output("mktemp -d /lustre/ws/jobs.XXXXXX")
    script = render(
        BatchSpec(
            name="of-script",
            queue="workq",
            nodes=1,
            cores_per_node=1,
            walltime="00:02:00",
            dialect=DIALECTS[request.param],
            launcher="none",
            directory=directory,
            command=["/bin/sh", f"{directory}/program"],
            node=Node(cores=2),
        )
    )
    login.check_output("printf '%%s' %s >%s", script, f"{directory}/job.sh")

    def run(program: str, check: bool = False, **options) -> dict:
        login.check_output("printf '%%s' %s >%s", f"cd {directory}; {program}", f"{directory}/program")
        options = {"name": NAME, "script": f"{directory}/job.sh", "scheduler": request.param, "poll": 1} | options
        return login.ansible("batch_job", json.dumps(options), check=check, become=False)

    yield run
    run("true", state="absent")
    login.check_output(f"rm -rf {directory}")


def test_job_is_submitted_once_and_cancelled_once(login, job):
    wait_on = "timeout 100 sh -c 'until [ -e go ]; do sleep 0.2; done'"
    assert job(wait_on, check=True)["changed"]
    assert login.check_output(QUEUED) == ""
    first = job(wait_on, wait=False)
    assert first["changed"]
    number = first["job_id"].split(".")[0]
    wait_for("the job runs", lambda: login.check_output(f"{QUEUED} --format %t") == "R")
    second = job(wait_on, wait=False)
    assert (second["changed"], second["job_id"]) == (False, first["job_id"])
    assert login.check_output(f"{QUEUED} --format '%i %j'") == f"{number} {NAME}"
    assert job("true", state="absent")["changed"]
    assert login.check_output(QUEUED) == ""
    assert not job("true", state="absent")["changed"]


def test_exit_status_comes_from_the_exit_file(job):
    ended = job("echo done", timeout=60)
    assert (ended["changed"], ended["exit_status"], ended["evidence"]) == (True, 0, "exit_file")


def test_failed_job_reports_its_exit_status(job):
    answer = job("exit 3", timeout=60)
    assert answer["exit_status"] == 3
    assert NAME in answer["msg"] and "ended with 3" in answer["msg"]


def test_killed_job_is_reported_as_gone(job):
    """Without an exit file, and without accounting on this cluster, the job is gone."""
    # The command's parent is the script's coprocess.
    answer = job("kill -KILL $(cut -d ' ' -f 4 /proc/$PPID/stat)", timeout=60)
    assert answer["verdict"] == "gone" and "left no exit file" in answer["msg"]
