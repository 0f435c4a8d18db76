"""Test the timing of a scenario's steps and the end of a scenario that hangs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import timed_steps

SCRIPT = Path(timed_steps.__file__)
# recorded: molecule 26.10, `molecule converge -s celery`
OUTPUT = """\
INFO     [celery > discovery] scenario test matrix: dependency, create, prepare, converge
INFO     [celery > create] Executing
INFO     [celery > create] Executed: Skipped (Skipping, instances already created.)
INFO     [celery > converge] Executing
PLAY [Converge] ****
INFO     [celery > converge] Executed: Successful
INFO     [celery > verify] Executing
INFO     [celery > verify] Executing Testinfra tests found in /p/molecule/celery/tests/...
"""


@pytest.fixture
def run(tmp_path: Path):
    """Return a function that runs a shell command and returns (code, log, steps)."""

    def call(command: str, limit: float = 20) -> tuple[int, str, list[str]]:
        log, steps = tmp_path / "log", tmp_path / "steps"
        words = [sys.executable, str(SCRIPT), str(limit), str(log), str(steps), "sh", "-c", command]
        code = subprocess.run(words, check=False, timeout=60).returncode
        return code, log.read_text(), steps.read_text().splitlines()

    return call


def test_steps_are_timed_and_output_is_logged(run, tmp_path: Path) -> None:
    (tmp_path / "output").write_text(OUTPUT)
    head = f"head -n 3 {tmp_path}/output; sleep 1.2; tail -n +4 {tmp_path}/output; exit 7"
    code, log, steps = run(head)
    assert (code, log) == (7, OUTPUT)
    assert [line.split()[1] for line in steps] == ["create", "converge", "verify"] and int(steps[0].split()[0]) >= 1


def test_command_and_its_children_end_at_the_limit(run, tmp_path: Path) -> None:
    code, _, _ = run(f"sleep 600 & echo $! >{tmp_path}/child; wait", limit=3)
    assert code == 124
    state = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_left_process_with_the_output_does_not_block(run) -> None:
    code, log, _ = run("echo done; setsid sleep 30 &")
    assert (code, log) == (0, "done\n")
