"""Run scripts in a real bash: exit codes, the exit file, and signals of the scheduler."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from module_utils.batch.script import render
from module_utils.batch.spec import BatchSpec, Node
from module_utils.batch.template import PLAIN


def script(place: Path, program: str, template: str = PLAIN, **changes) -> Path:
    """Write a batch script without a launcher that runs the shell program; return its path."""
    (place / "program").write_text(f"#!/bin/bash\n{program}\n")
    (place / "program").chmod(0o700)
    fields = {
        "name": "rctest",
        "queue": "workq",
        "nodes": 1,
        "cores_per_node": 1,
        "walltime": 60,
        "dialect": "torque",
        "launcher": "none",
        "directory": str(place),
        "command": [str(place / "program")],
        "node": Node(),
    }
    path = place / "job.sh"
    path.write_text(render(BatchSpec(**{**fields, **changes}), template))
    return path


def run(path: Path, **environment: str) -> int:
    return subprocess.run(
        ["bash", path], env={"PATH": os.environ["PATH"], **environment}, timeout=30, check=False
    ).returncode


@pytest.mark.parametrize("code", [0, 3, 127, 143])
def test_exit_code_of_the_command_is_the_jobs_and_in_the_exit_file(tmp_path: Path, code: int) -> None:
    assert run(script(tmp_path, f"exit {code}"), PBS_JOBID="0:12345.server") == code
    assert (tmp_path / "exit").read_text() == f"0:12345.server {code}\n"
    assert not (tmp_path / "exit.tmp").exists()


def test_slurm_job_id_is_in_the_exit_file(tmp_path: Path) -> None:
    run(script(tmp_path, "exit 0"), SLURM_JOB_ID="77")
    assert (tmp_path / "exit").read_text() == "77 0\n"


def test_command_gets_its_environment_and_no_input(tmp_path: Path) -> None:
    path = script(tmp_path, 'echo "$KEY $(wc -c)" >seen', environment={"KEY": "value=1"})
    assert run(path) == 0
    assert (tmp_path / "seen").read_text() == "value=1 0\n"


def test_files_are_readable_by_the_owner_alone(tmp_path: Path) -> None:
    run(script(tmp_path, "echo hello >made"))
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0
    assert (tmp_path / "exit").stat().st_mode & 0o077 == 0


def test_missing_directory_starts_nothing(tmp_path: Path) -> None:
    assert run(script(tmp_path, f"touch {tmp_path}/started", directory=str(tmp_path / "gone"))) == 90
    assert not (tmp_path / "started").exists()


def test_failing_module_is_in_the_exit_file(tmp_path: Path) -> None:
    path = script(tmp_path, "touch started", modules=["nosuch"])
    module = "module() { return 1; }; export -f module; "
    rc = subprocess.run(["bash", "-c", f"{module} bash {path}"], timeout=30, check=False).returncode
    assert rc == 91
    assert (tmp_path / "exit").read_text().split()[1] == "91"
    assert not (tmp_path / "started").exists()


# Environment Modules 3: a module that is not there is told, and the exit code is 0. Default versions are found by name.
MODULES_3 = """
module() {
    case $2 in
    gone*) echo "ModuleCmd_Load.c: Unable to locate a modulefile for '$2'" >&2 ;;
    default) LOADEDMODULES=$LOADEDMODULES:tool/9 ;;
    *) LOADEDMODULES=$LOADEDMODULES:$2${VERSION} ;;
    esac
}
export -f module
"""


@pytest.mark.parametrize(
    ("modules", "loaded", "version", "code"),
    [
        (["povray"], "", "", 0),
        (["PrgEnv/6", "povray"], "", "", 0),
        (["povray"], "", "/3.7", 0),
        (["default"], "", "", 0),
        (["gone"], "", "", 91),
        (["povray", "gone/1"], "", "", 91),
        (["gone"], "gone/1:x", "", 0),  # it was loaded already
        (["gone"], "gone2/1", "", 91),
    ],
)
def test_module_that_did_not_load_is_found_whatever_its_exit_code(
    tmp_path: Path, modules: list[str], loaded: str, version: str, code: int
) -> None:
    path = script(tmp_path, "exit 0", modules=modules)
    words = ["bash", "-c", f"{MODULES_3} exec bash {path}"]
    environment = {"PATH": os.environ["PATH"], "LOADEDMODULES": loaded, "VERSION": version}
    done = subprocess.run(words, env=environment, timeout=30, check=False, capture_output=True, text=True)
    assert done.returncode == code and (tmp_path / "exit").read_text() == f"unknown {code}\n"
    assert ("did not load" in done.stderr) is (code != 0)


@pytest.mark.parametrize("delay", [":", "read -rt 0.2 <>fifo"])
def test_term_reaches_the_command_and_its_exit_code_is_kept(tmp_path: Path, delay: str) -> None:
    """With and without time for the command to tidy up after TERM: bash's wait returns 143 at once in both cases."""
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "ready")
    program = f"trap '{delay}; exit 7' TERM; echo up >ready; while :; do read -rt 5 <>fifo; done"
    job = subprocess.Popen(["bash", script(tmp_path, program)], start_new_session=True)
    try:
        (tmp_path / "ready").read_text()  # returns when the command has set its trap
        assert not (tmp_path / "exit").exists()
        job.send_signal(signal.SIGTERM)
        assert job.wait(timeout=20) == 7
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
    assert (tmp_path / "exit").read_text() == "unknown 7\n"


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("echo up >ready; exec sleep 60", 143),
        ("trap 'exit 7' TERM; echo up >ready; while :; do read -rt 5 <>fifo; done", 7),
    ],
)
def test_term_to_the_process_group_keeps_the_commands_exit_code(tmp_path: Path, program: str, code: int) -> None:
    """Signal script and command together: bash can lose the status of a child while a trap interrupts `wait`."""
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "ready")
    path = script(tmp_path, program)
    seen = set()
    for _ in range(60):
        job = subprocess.Popen(["bash", path], start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            (tmp_path / "ready").read_text()
            os.killpg(job.pid, signal.SIGTERM)
            seen.add((job.wait(timeout=20), (tmp_path / "exit").read_text()))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)
        (tmp_path / "exit").unlink()
    assert seen == {(code, f"unknown {code}\n")}


def test_term_before_the_command_gives_143(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "ready")
    (tmp_path / "before").write_text(f"echo up >{tmp_path}/ready\nread -rt 20 <>{tmp_path}/fifo\n")
    path = script(tmp_path, "touch started", prologue=str(tmp_path / "before"))
    job = subprocess.Popen(["bash", path], start_new_session=True)
    try:
        (tmp_path / "ready").read_text()
        os.killpg(job.pid, signal.SIGTERM)
        assert job.wait(timeout=30) == 143
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
    assert (tmp_path / "exit").read_text() == "unknown 143\n" and not (tmp_path / "started").exists()


def test_killed_coprocess_leaves_an_exit_code(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ready")
    path = script(tmp_path, "cat /proc/$PPID/stat >ready; exec sleep 60")
    job = subprocess.Popen(["bash", path], start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        keeper = int((tmp_path / "ready").read_text().split()[0])
        os.kill(keeper, signal.SIGKILL)
        assert job.wait(timeout=20) == 143
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
    assert (tmp_path / "exit").read_text() == "unknown 143\n"


def test_environment_cannot_move_the_exit_file(tmp_path: Path) -> None:
    names = ("exit_file", "file", "exit", "directory", "LOADEDMODULES_X")
    assert run(script(tmp_path, "exit 5", environment=dict.fromkeys(names, "/nowhere"))) == 5
    assert (tmp_path / "exit").read_text() == "unknown 5\n"


def test_each_job_of_an_array_has_an_exit_file(tmp_path: Path) -> None:
    path = script(tmp_path, "exit 4", array="0-9%2")
    for variable, index in (("PBS_ARRAYID", "3"), ("PBS_ARRAY_INDEX", "5"), ("SLURM_ARRAY_TASK_ID", "7")):
        assert run(path, PBS_JOBID=f"12[{index}].server", **{variable: index}) == 4
        assert (tmp_path / f"exit.{index}").read_text() == f"12[{index}].server 4\n"
    assert not (tmp_path / "exit").exists()


def test_prologue_and_epilogue_run_around_the_command(tmp_path: Path) -> None:
    (tmp_path / "before").write_text("export SITE=ours\n")
    (tmp_path / "after").write_text('#!/bin/bash\necho "$1 $SITE $(ls)" >after.saw\n')
    (tmp_path / "after").chmod(0o700)
    hooks = {"prologue": str(tmp_path / "before"), "epilogue": str(tmp_path / "after")}
    assert run(script(tmp_path, 'echo "$SITE" >seen; exit 3', **hooks)) == 3
    assert (tmp_path / "seen").read_text() == "ours\n"
    saw = (tmp_path / "after.saw").read_text().split()
    assert saw[:2] == ["3", "ours"] and "exit" not in saw
    assert (tmp_path / "exit").read_text() == "unknown 3\n"


FAILS = [
    "return 1",
    "exit 1",
    "exit 0",
    "set -e\nfalse\ntrue",
    "set -euo pipefail\nfalse | true\ntrue",
    "set -u\n: $nope",
]


@pytest.mark.parametrize("prologue", [*FAILS, "if true; then", 'echo "open', "\nfalse"])
def test_failing_prologue_starts_nothing(tmp_path: Path, prologue: str) -> None:
    (tmp_path / "before").write_text(f"{prologue}\n")
    assert run(script(tmp_path, "touch started", prologue=str(tmp_path / "before"))) == 93
    assert (tmp_path / "exit").read_text() == "unknown 93\n" and not (tmp_path / "started").exists()


@pytest.mark.parametrize(("found", "code"), [("echo /nowhere", 92), ("exit 1", 92), ('[ "$1" = mine ] && pwd', 0)])
def test_missing_workspace_starts_nothing(tmp_path: Path, found: str, code: int) -> None:
    tool = tmp_path / "bin/ws_find"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/bash\n{found}\n")
    tool.chmod(0o700)
    path = script(tmp_path, 'echo "$WORKSPACE" >seen', workspace="mine")
    assert run(path, PATH=f"{tool.parent}:{os.environ['PATH']}") == code
    assert (tmp_path / "exit").read_text() == f"unknown {code}\n"
    assert (tmp_path / "seen").exists() is (code == 0)


def test_shell_options_of_a_prologue_end_with_it(tmp_path: Path) -> None:
    (tmp_path / "before").write_text("set -euo pipefail\n")
    assert run(script(tmp_path, "exit 3", prologue=str(tmp_path / "before"))) == 3
    assert (tmp_path / "exit").read_text() == "unknown 3\n"


def test_failing_epilogue_keeps_the_exit_file(tmp_path: Path) -> None:
    (tmp_path / "before").write_text("set -e\nfalse\n")
    assert run(script(tmp_path, "exit 0", prologue=str(tmp_path / "before"), epilogue="/bin/false")) == 93
    assert (tmp_path / "exit").read_text() == "unknown 93\n"


def templated(place: Path, program: str, *lines: str) -> Path:
    return script(place, program, template="\n".join(["#!/bin/bash", "@directives@", *lines, "@script@", ""]))


def test_template_commands_run_before_the_job(tmp_path: Path) -> None:
    assert run(templated(tmp_path, 'echo "$LIMIT" >seen', "#PBS -l feature=ssd", "export LIMIT=7")) == 0
    assert (tmp_path / "seen").read_text() == "7\n"


def test_command_that_ends_at_once_leaves_its_exit_code(tmp_path: Path) -> None:
    """Slow down the script's own shell: bash closes the pipe of a coprocess that has ended."""
    os.mkfifo(tmp_path / "fifo")
    assert run(templated(tmp_path, "exit 3", f"trap 'read -rt 0.1 <>{tmp_path}/fifo' DEBUG")) == 3
    assert (tmp_path / "exit").read_text() == "unknown 3\n"


def test_shell_options_of_a_template_end_with_it(tmp_path: Path) -> None:
    assert run(templated(tmp_path, "exit 3", "set -euo pipefail", "trap 'exit 0' EXIT")) == 3
    assert (tmp_path / "exit").read_text() == "unknown 3\n"


@pytest.mark.parametrize(
    "line", ["exit 0", "exit 1", "set -e; false", "set -u; : $nope", "cat <<EOF", 'echo "open', "if true; then", "{"]
)
def test_template_line_that_ends_or_swallows_the_script_is_in_the_exit_file(tmp_path: Path, line: str) -> None:
    run(templated(tmp_path, "touch started", line))
    assert (tmp_path / "exit").read_text() == "unknown 94\n"
    assert not (tmp_path / "started").exists()
