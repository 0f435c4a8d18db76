"""The lab's stand-in for Torque answers as the recorded session of a real Torque 6.1.3 does, byte for byte."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMMANDS = HERE.parents[2] / "lab/torque"
LIMIT = 15  # seconds for a job to start or to end
SCRIPTS = {
    "ok.sh": "sleep 60",
    "wall.sh": "sleep 60",
    "mom.sh": "sleep 60",
    "fail.sh": "exit 3",
    "waits.sh": "trap 'sleep 0.5; echo late >exit' TERM; touch began; sleep 60 & wait; sleep 60",
}
# What differs from run to run.
VARIABLE = [
    (r"(<(?:[cqe]|m|start_|comp_)time>)\d+", r"\1T"),
    (r"<session_id>\d+", "<session_id>S"),
    (r"<total_runtime>[\d.]+", "<total_runtime>S"),
    (r"<walltime>00:00:\d\d", "<walltime>00:00:SS"),
    (r"PBS_O_PATH=[^,]*", "PBS_O_PATH=P"),
    (r"<egroup>[^<]*", "<egroup>G"),
    (r"Job started on [^<]*", "Job started on D"),
]


class Torque:
    """The stand-in with a state of its own."""

    def __init__(self, directory: Path) -> None:
        self.home, self.state = directory / "home", directory / "state"
        self.home.mkdir()
        (self.state / "switches").mkdir(parents=True)
        for name, body in SCRIPTS.items():
            (self.home / name).write_text(f"#!/bin/bash\n{body}\n")

    def run(self, command: str, user: str = "render") -> tuple[str, str, int]:
        """Run a command line of the session as a user; return stdout, stderr and exit code in the session's terms."""
        environment = {
            "PATH": f"{COMMANDS}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "LAB_TORQUE": str(self.state),
            "LAB_TORQUE_SERVER": "login1",
            "PYTHONUTF8": "1",
        }
        done = subprocess.run(
            shlex.split(command), cwd=self.home, env=environment, capture_output=True, text=True, timeout=30
        )
        return *(
            normal(text.replace(str(self.home), "/home/render")) for text in (done.stdout, done.stderr)
        ), done.returncode

    def set(self, switch: str) -> None:
        """Switch a fault on."""
        (self.state / "switches" / switch).touch()

    def clear(self, switch: str) -> None:
        """Switch a fault off."""
        (self.state / "switches" / switch).unlink()

    def next(self, number: int) -> None:
        """Choose the next job's number."""
        (self.state / "next").write_text(str(number))

    def job(self, number: int) -> dict:
        """Return what is known of a job."""
        return json.loads((self.state / "jobs" / f"{number}.json").read_text())

    def wait(self, number: int, state: str) -> dict:
        """Return a job when it is in a state."""
        wait_for(lambda: self.job(number)["job_state"] == state)
        return self.job(number)


def wait_for(ask: Callable[[], object]) -> None:
    """Wait for something that takes moments."""
    end = time.monotonic() + LIMIT
    while not ask():
        assert time.monotonic() < end
        time.sleep(0.05)


def normal(text: str) -> str:
    """Replace what differs from run to run."""
    for pattern, instead in VARIABLE:
        text = re.sub(pattern, instead, text)
    return text


def recorded() -> dict[str, list[tuple[str, tuple[str, str, int]]]]:
    """Return the session: by section its commands, each with its answer; `next` with a number is no command."""
    sections: dict[str, list] = {}
    for line in (HERE / "session.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# --- "):
            commands = sections.setdefault(line[6:], [])
        elif line.startswith("# next "):
            commands.append((line[2:], None))
        elif line.startswith("$ "):
            commands.append((line[2:], answer := {"out": "", "err": ""}))
        elif match := re.match("(out|err)[|] ?(.*)", line):
            answer[match[1]] += f"{match[2]}\n"
        elif line.startswith("exit "):
            commands[-1] = (commands[-1][0], (normal(answer["out"]), normal(answer["err"]), int(line[5:])))
    return sections


@pytest.fixture
def torque(tmp_path: Path) -> Iterator[Torque]:
    """A stand-in whose jobs end with the test."""
    site = Torque(tmp_path)
    yield site
    for path in (site.state / "jobs").glob("*.json"):
        job = json.loads(path.read_text())
        if job["job_state"] == "Q":
            site.run(f"qdel {job['number']}")
        for number in processes(job.get("session", 0)):
            os.kill(number, signal.SIGKILL)


def processes(session: int) -> list[int]:
    """Return the processes of a session, without those that have ended."""
    found = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if not line.split()[1].startswith("Z")]


def replay(torque: Torque, section: str) -> None:
    """Run a section's commands; qstat may take a moment until the jobs are where they were in the session."""
    for command, answer in recorded()[section]:
        if answer is None:
            torque.next(int(command.split()[1]))
            continue
        told = torque.run(command)
        end = time.monotonic() + LIMIT
        while told != answer and command.startswith("qstat") and time.monotonic() < end:
            told = torque.run(command)
        assert told == answer, command


@pytest.mark.parametrize(
    ("section", "first", "switch"),
    [
        ("nothing there", 1, None),
        ("submissions", 3, None),
        ("queue not started", 26, "queue-stopped"),
        ("queue with resources_max.walltime", 27, None),
        ("queue full", 30, "queue-full"),
        ("trqauthd stopped", 30, "trqauthd-stopped"),
        ("server stopped", 30, "server-stopped"),
        ("ends of jobs", 144, None),
    ],
)
def test_answers_are_those_of_the_session(torque, section, first, switch):
    torque.next(first)
    if switch:
        torque.set(switch)
    replay(torque, section)
    if switch:
        torque.clear(switch)


def test_jobs_of_others_are_listed_as_in_the_session(torque):
    """Names and users are padded by bytes; a user's name is cut."""
    for number, user, name in [
        (150, "jose", 'a<b>&c"d'),
        (151, "jose", "Queue"),
        (152, "jose", "R"),
        (157, "averyverylongusername20", "rclong"),
        (159, "jörg", "rcjoe"),
    ]:
        torque.next(number)
        assert torque.run(f"qsub -h -N {shlex.quote(name)} ok.sh", user)[2] == 0
    replay(torque, "others' jobs")
    assert "<Job_Name>a&lt;b&gt;&amp;c&quot;d</Job_Name>" in torque.run("qstat -x 150")[0]


def test_a_job_whose_mom_died_is_not_deleted(torque):
    commands = recorded()["mom killed"]
    torque.next(209)
    assert torque.run(commands[0][0]) == commands[0][1]
    os.kill(torque.wait(209, "R")["mom"], signal.SIGKILL)
    for command, answer in commands[1:]:
        assert torque.run(command) == answer


def test_a_server_that_shuts_down_takes_no_job(torque):
    torque.set("server-shutting-down")
    told = torque.run("qsub ok.sh")
    assert told == ("", "qsub: submit error (Request not allowed: Server shutting down)\n", 214)
    torque.clear("server-shutting-down")
    assert torque.run("qstat") == ("", "", 0)


def test_a_job_is_queued_although_its_answer_is_lost(torque):
    torque.set("answer-lost")
    text = "qsub: submit error (This stream has already been closed. End of File.)\n"
    assert torque.run("qsub -h ok.sh") == ("", text, 67)
    assert "1.login1                   ok.sh" in torque.run("qstat")[0]


def test_a_disabled_queue_takes_no_job_until_it_is_enabled(torque):
    torque.set("queue-disabled")
    text = "Queue is not enabled MSG=queue is disabled: user render@login1, queue workq"
    assert torque.run("qsub ok.sh") == ("", f"qsub: submit error ({text})\n", 175)
    torque.clear("queue-disabled")
    assert torque.run("qsub -h ok.sh")[2] == 0


def test_qdel_of_a_running_job_leaves_its_script_no_time(torque):
    """The login shell dies of TERM and takes its session with it, so the script's trap does not end."""
    torque.run("qsub waits.sh")
    session = torque.wait(1, "R")["session"]
    wait_for((torque.home / "began").exists)
    assert len(processes(session)) >= 3
    assert torque.run("qdel 1") == ("", "", 0)
    assert torque.job(1)["exit_status"] == 271
    assert processes(session) == []
    assert not (torque.home / "exit").exists()


def test_qdel_of_a_job_that_waits_leaves_no_exit_status(torque):
    torque.set("queue-stopped")
    torque.run("qsub ok.sh")
    torque.run("qdel 1")
    assert torque.job(1)["job_state"] == "C"
    assert "<exit_status>" not in torque.run("qstat -x 1")[0]


def test_a_job_ends_at_its_walltime(torque):
    torque.run("qsub -l nodes=1:ppn=2,walltime=00:00:01 -j oe ok.sh")
    assert torque.wait(1, "C")["exit_status"] == -11
    output = (torque.home / "ok.sh.o1").read_text()
    assert re.fullmatch("=>> PBS: job killed: walltime [0-9]+ exceeded limit 1\n", output)


def test_a_script_tells_its_exit_code_and_leaves_its_output(torque):
    script = ["#!/bin/bash", "#PBS -N named", "#PBS -q workq", "#PBS -l walltime=00:01:00", "#PBS -r n", "#PBS -m n"]
    script += [
        "#PBS -S /bin/bash",
        "# a comment",
        "echo $PBS_JOBID $PBS_JOBNAME; echo error >&2",
        "#PBS -N late",
        "exit 3",
    ]
    (torque.home / "job.sh").write_text("\n".join(script))
    torque.run("qsub job.sh")
    assert torque.wait(1, "C")["exit_status"] == 3
    assert (torque.home / "named.o1").read_text() == "1.login1 named\n"
    assert (torque.home / "named.e1").read_text() == "error\n"
    assert "<Rerunable>False</Rerunable>" in torque.run("qstat -x 1")[0]


def test_the_command_line_has_the_last_word(torque):
    (torque.home / "job.sh").write_text(
        f"#!/bin/bash\n#PBS -N named\n#PBS -j oe\n#PBS -o {torque.home}/all\necho x >&2\n"
    )
    torque.run("qsub -N other job.sh")
    assert torque.wait(1, "C")["name"] == "other"
    assert (torque.home / "all").read_text() == "x\n"


def test_jobs_wait_for_free_cores(torque):
    torque.run("qsub -l nodes=1:ppn=2 ok.sh")
    torque.wait(1, "R")
    torque.run("qsub ok.sh")
    assert torque.job(2)["job_state"] == "Q"
    torque.run("qdel 1")
    torque.wait(2, "R")


def test_what_is_not_supported_is_refused(torque):
    for command in ("qsub -t 0-3 ok.sh", "qstat -f 1", "qdel -p 1"):
        assert torque.run(command)[2] == 99
