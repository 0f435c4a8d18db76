"""Run the module batch_job by Ansible, with stand-ins for Torque's commands (fake_torque/) on PATH."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.adhoc import run_module

HERE = Path(__file__).parent


@pytest.fixture
def torque(tmp_path: Path) -> Path:
    """Return the directory with the state of the stand-ins."""
    site = tmp_path / "torque"
    (site / "jobs").mkdir(parents=True)
    return site


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "self test.job"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    return path


@pytest.fixture
def call(tmp_path: Path, torque: Path, script: Path) -> Callable[..., dict]:
    """Return call(*flags, **changes), which runs the module on this host."""

    def run(*flags: str, commands: Path = HERE / "fake_torque", **changes: object) -> dict:
        base = {"name": "rcselftest", "script": str(script), "scheduler": "torque", "wait": False, "poll": 1}
        arguments = {name: value for name, value in {**base, **changes}.items() if value is not None}
        commands_first = f"{commands}:{os.environ['PATH']}"
        home = tmp_path / "ansible"
        environment = {"PATH": commands_first, "HOME": str(tmp_path), "FAKE_TORQUE": str(torque)}
        return run_module("batch_job", arguments, *flags, home=home, **environment)

    return run


def test_job_is_submitted_once_and_cancelled_once(call, torque: Path, script: Path) -> None:
    check = call("--check", wait=True)
    assert check["changed"] and "would submit" in check["msg"] and not (torque / "qsub.log").exists()

    first = call()
    assert first["changed"] and first["job_id"] == "1.sdb"
    assert (torque / "qsub.log").read_text() == f"{script.parent}: -N rcselftest {script}\n"
    for again in (call(), call("--check")):
        assert not again["changed"] and again["job_id"] == "1.sdb"
    assert call(name="rcother")["job_id"] == "2.sdb"

    check = call("--check", state="absent", script=None)
    assert check["changed"] and "would cancel 1.sdb" in check["msg"] and not (torque / "qdel.log").exists()
    gone = call(state="absent", script=None, wait=True, timeout=10)
    assert gone["changed"] and gone["job_ids"] == ["1.sdb"]
    assert (torque / "qdel.log").read_text() == "1.sdb\n"
    assert not call(state="absent", script=None)["changed"]
    assert [path.name for path in (torque / "jobs").iterdir()] == ["2"]


def test_waiting_returns_the_exit_code(call, torque: Path) -> None:
    (torque / "job-does").write_text('echo "$PBS_JOBID 0" >exit')
    end = call(wait=True, timeout=20)
    assert not end["failed"] and end["changed"] and (end["exit_status"], end["evidence"]) == (0, "exit_file")

    (torque / "job-does").write_text('echo "$PBS_JOBID 7" >exit')
    end = call(wait=True, timeout=20)
    assert end["failed"] and end["exit_status"] == 7 and "2.sdb, ended with 7" in end["msg"]

    (torque / "job-does").write_text("")  # the exit file belongs to the second job
    end = call(wait=True, timeout=20)
    assert end["failed"] and end["verdict"] == "gone" and "3.sdb, is gone and left no exit file" in end["msg"]
    assert end["changed"] and end["job_id"] == "3.sdb"


def test_waiting_fails_after_the_timeout(call) -> None:
    end = call(wait=True, timeout=1)
    assert end["failed"] and end["job_id"] == "1.sdb" and "goes on; run this again" in end["msg"]


def test_hung_command_is_killed_and_named(call, torque: Path) -> None:
    (torque / "qsub-hangs").write_text("ever")
    end = call(command_timeout=2)
    assert end["failed"] and end["verdict"] == "doubt" and not end.get("code")
    assert f"qsub: took longer than 2 s and was killed on {platform.node()}; run it there by hand" in end["msg"]
    assert "raise command_timeout" in end["msg"]
    child = Path("/proc", (torque / "child").read_text().strip(), "stat")
    assert not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z"


def test_concurrent_runs_submit_once(call, torque: Path) -> None:
    """The first qsub ends when the second run has called qstat, too, which the lock must delay."""
    (torque / "qsub-hangs").write_text("qstat")
    with ThreadPoolExecutor() as pool:
        ends = [future.result() for future in [pool.submit(call), pool.submit(call)]]
    assert sorted(end["changed"] for end in ends) == [False, True]
    assert {end["job_id"] for end in ends} == {"1.sdb"}
    assert len((torque / "qsub.log").read_text().splitlines()) == 1


def test_concurrent_run_is_waited_for(call, torque: Path, tmp_path: Path) -> None:
    call(name="rcother")
    lock = tmp_path / ".cache/raycrafter/batch_job-rcselftest.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        held = call(timeout=1)
        assert held["failed"] and held["verdict"] == "busy" and f"another run holds {lock}" in held["msg"]
        assert not call("--check")["failed"] and not call(name="rcthird")["failed"]
    assert call(timeout=1)["changed"]


def test_home_without_locks_is_named(call, tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("a file, no directory")
    answer = call()
    assert answer["failed"] and answer["verdict"] == "fatal"
    assert f"no lock {tmp_path}/.cache/raycrafter/batch_job-rcselftest.lock on {platform.node()}: " in answer["msg"]


def test_directory_may_differ_from_the_scripts(call, torque: Path, tmp_path: Path) -> None:
    (torque / "job-does").write_text('echo "$PBS_JOBID 0" >exit')
    elsewhere = tmp_path / "else where"
    answer = call(directory=str(elsewhere))
    assert answer["failed"] and f"{elsewhere} is no directory on this host" in answer["msg"]
    elsewhere.mkdir()
    end = call(directory=str(elsewhere), wait=True, timeout=20)
    assert end["evidence"] == "exit_file" and (elsewhere / "exit").read_text() == "1.sdb 0\n"


def test_array_is_refused(call, torque: Path, script: Path) -> None:
    script.write_text("#!/bin/sh\n#PBS -N x\n#PBS -t 0-9\n")
    for flags in ([], ["--check"]):
        answer = call(*flags)
        assert answer["failed"] and f"{script}, line 3, requests an array; this module follows one job" in answer["msg"]
    assert not (torque / "qsub.log").exists()


@pytest.mark.parametrize(
    ("program", "says", "changes", "verdict", "parts"),
    [
        (
            "qsub",
            "200\nqsub: Maximum number of jobs\n",
            {},
            "limit",
            ["Maximum number of jobs", "exit 200", "rcselftest"],
        ),
        ("qstat", "1\nqstat: cannot connect\n", {}, "busy", ["not known whether", "cannot connect"]),
        ("qstat", "1\nqstat: cannot connect\n", {"state": "absent"}, "busy", ["not known whether"]),
    ],
)
def test_failure_has_the_schedulers_words(call, torque: Path, program, says, changes, verdict, parts) -> None:
    (torque / f"{program}-says").write_text(says)
    answer = call(**changes)
    assert answer["failed"] and answer["verdict"] == verdict and all(part in answer["msg"] for part in parts)
    assert not list((torque / "jobs").iterdir())
    if program == "qsub":
        assert (answer["code"], answer["text"]) == (200, "qsub: Maximum number of jobs")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"name": "1 job\n"}, "a letter, then at most 14"),
        ({"script": "/nonexistent/job.sh"}, "/nonexistent/job.sh is no file on this host; write it first"),
        ({"script": None}, "script"),
        ({"poll": 0}, "poll: at least 1"),
        ({"command_timeout": 0}, "command_timeout: at least 1"),
        ({"scheduler": "slurm"}, "squeue cannot be run as"),
    ],
)
def test_wrong_parameter_is_named(call, torque: Path, changes, part) -> None:
    answer = call(**changes)
    assert answer["failed"] and part in answer["msg"]
    assert not (torque / "qsub.log").exists()
