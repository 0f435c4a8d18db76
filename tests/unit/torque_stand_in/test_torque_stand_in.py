"""Test that the lab's stand-in for Torque replays a recorded session exactly."""

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

from module_utils.batch.reply import Reply
from tests.unit.batch_answers.sessions import RECORDED, Recorded, read

COMMANDS = Path(__file__).parents[3] / "lab/torque"
SESSION = "torque-6.1.3.txt"
# The supported commands and options; arrays are not supported.
SUPPORTED = re.compile(r"qsub (?!.* -t ).*|qstat( -x)?( [0-9.a-z]+| `.*`)?|qdel ([0-9.a-z]+|`.*`)")
LIMIT = 15  # seconds for a job to start or to end
SCRIPTS = {
    "ok.sh": "sleep 60",
    "wall.sh": "sleep 60",
    "mom.sh": "sleep 60",
    "fail.sh": "exit 3",
    "waits.sh": "trap 'sleep 0.5; echo late >exit' TERM; touch began; sleep 60 & wait; sleep 60",
}
# Values that differ between runs.
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
    """The stand-in with its own state."""

    def __init__(self, directory: Path) -> None:
        self.home, self.state = directory / "home", directory / "state"
        self.home.mkdir()
        (self.state / "switches").mkdir(parents=True)
        for name, body in SCRIPTS.items():
            (self.home / name).write_text(f"#!/bin/bash\n{body}\n")

    def run(self, command: str, user: str = "render") -> Reply:
        """Run a command line of the session as a user, with qselect replaced by a lookup."""
        command = re.sub("`qselect -N (.*)`", lambda match: self.number(match[1]), command)
        environment = {
            "PATH": f"{COMMANDS}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "LAB_TORQUE": str(self.state),
            "LAB_TORQUE_SERVER": "login1",
            "PYTHONUTF8": "1",
        }
        words = shlex.split(command)
        done = subprocess.run(words, cwd=self.home, env=environment, capture_output=True, text=True, timeout=30)
        out, err = (text.replace(str(self.home), "/home/render") for text in (done.stdout, done.stderr))
        return Reply(done.returncode, normal(out), normal(err))

    def number(self, name: str) -> str:
        """Return the number of the job with a name."""
        found = [path.stem for path in (self.state / "jobs").glob("*.json") if self.job(int(path.stem))["name"] == name]
        return found[0]

    def set(self, switch: str) -> None:
        """Turn on a fault."""
        (self.state / "switches" / switch).touch()

    def clear(self, switch: str) -> None:
        """Turn off a fault."""
        (self.state / "switches" / switch).unlink()

    def next(self, number: int) -> None:
        """Set the next job's number."""
        (self.state / "next").write_text(str(number))

    def job(self, number: int) -> dict:
        """Return the state of a job."""
        return json.loads((self.state / "jobs" / f"{number}.json").read_text())

    def wait(self, number: int, states: str) -> dict:
        """Wait until a job is in one of ``states``; return the job."""
        wait_for(lambda: self.job(number)["job_state"] in states)
        return self.job(number)

    @property
    def is_stopped(self) -> bool:
        """Return whether the queue starts no jobs."""
        return (self.state / "switches/queue-stopped").exists()


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until ``condition()`` is true."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def normal(text: str) -> str:
    """Replace values that differ between runs."""
    for pattern, replacement in VARIABLE:
        text = re.sub(pattern, replacement, text)
    return text


def section(title: str) -> list[Recorded]:
    """Return the commands of a section of the session."""
    lines = (RECORDED / SESSION).read_text(encoding="utf-8").split("\n")
    first = next(at for at, line in enumerate(lines) if line.startswith(f"# --- {title}"))
    last = next((at for at, line in enumerate(lines) if at > first and line.startswith("# --- ")), len(lines))
    return [one for one in read(SESSION) if first < one.line <= last]


def expected(recorded: Reply, first: int) -> Reply:
    """Return a recorded reply without rows of arrays and of jobs before ``first``."""
    rows = recorded.stdout.splitlines(keepends=True)
    kept = [row for row in rows if not (row[0].isdigit() and (int(re.match("[0-9]+", row)[0]) < first or "[]" in row))]
    return Reply(recorded.code, normal("".join(kept)), normal(recorded.stderr))


@pytest.fixture
def torque(tmp_path: Path) -> Iterator[Torque]:
    """Return a stand-in; end its jobs after the test."""
    site = Torque(tmp_path)
    yield site
    for path in (site.state / "switches").iterdir():
        path.unlink()
    for path in (site.state / "jobs").glob("*.json"):
        job = json.loads(path.read_text())
        if job["job_state"] == "Q":
            site.run(f"qdel {job['number']}")
        for number in processes(job.get("session", 0)):
            os.kill(number, signal.SIGKILL)


def processes(session: int) -> list[int]:
    """Return the running processes of a session."""
    found = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if not line.split()[1].startswith("Z")]


def replay(torque: Torque, commands: list[Recorded], first: int) -> None:
    """Run commands of the session; repeat qstat until it shows the recorded states."""
    torque.next(first)
    for one in commands:
        if one.command.startswith("qsub"):
            if not SUPPORTED.fullmatch(one.command):
                torque.next(int((torque.state / "next").read_text()) + 1)
                continue
        elif one.command == "qsig -s SIGKILL `qselect -N rckill`":
            os.killpg(torque.wait(int(torque.number("rckill")), "R")["session"], signal.SIGKILL)
            torque.wait(int(torque.number("rckill")), "C")
        if not SUPPORTED.fullmatch(one.command):
            continue
        desired, reply = expected(one.reply, first), torque.run(one.command)
        end = time.monotonic() + LIMIT
        while reply != desired and one.command.startswith("qstat") and time.monotonic() < end:
            reply = torque.run(one.command)
        assert reply == desired, f"{SESSION}, line {one.line}: {one.command}"
        if one.command.startswith("qsub") and reply.code == 0 and " -h " not in one.command and not torque.is_stopped:
            torque.wait(int(reply.stdout.split(".")[0]), "RC")


@pytest.mark.parametrize(
    ("title", "first", "commands", "switch"),
    [
        ("nothing there", 1, 9, None),
        ("submissions", 3, None, None),
        ("queue not started", 26, None, "queue-stopped"),
        ("queue with resources_max.walltime", 27, None, None),
        ("queue max_queuable=1", 30, None, "queue-full"),
        ("trqauthd stopped", 30, None, "trqauthd-stopped"),
        ("pbs_server stopped", 30, 4, "server-stopped"),
        ("ends of jobs: qdel running", 144, 15, "mom-late"),
    ],
)
def test_replies_match_the_recorded_session(torque, title, first, commands, switch):
    if switch:
        torque.set(switch)
    replay(torque, section(title)[:commands], first)


def test_jobs_of_other_users_are_listed_as_recorded(torque):
    """Names are padded by bytes, and a long user name is cut."""
    for number, user, name in [
        (150, "jose", 'a<b>&c"d'),
        (151, "jose", "Queue"),
        (152, "jose", "R"),
        (157, "averyverylongusername20", "rclong"),
        (159, "jörg", "rcjoe"),
    ]:
        torque.next(number)
        assert torque.run(f"qsub -h -N {shlex.quote(name)} ok.sh", user).code == 0
    listing = next(one.reply for one in section("pbs_mom killed") if one.command == "qstat").stdout.splitlines()
    shown = torque.run("qstat").stdout.splitlines()
    assert len(shown) == 7 and set(shown) <= set(listing)
    (refused,) = {one.reply for one in section("others' jobs") if one.command == "qdel 150"}
    assert torque.run("qdel 150") == refused
    assert "<Job_Name>a&lt;b&gt;&amp;c&quot;d</Job_Name>" in torque.run("qstat -x 150").stdout


def test_job_with_a_dead_mom_is_not_deleted(torque):
    commands = section("pbs_mom killed")
    replay(torque, commands[:1], 209)
    os.kill(torque.job(209)["mom"], signal.SIGKILL)
    for one in commands[1:5]:
        assert torque.run(one.command) == expected(one.reply, 209), one.command


def test_server_that_shuts_down_refuses_jobs(torque):
    torque.set("server-shutting-down")
    reply = torque.run("qsub ok.sh")
    assert reply == Reply(214, "", "qsub: submit error (Request not allowed: Server shutting down)\n")
    torque.clear("server-shutting-down")
    assert torque.run("qstat") == Reply(0, "", "")


def test_job_with_a_lost_reply_is_queued(torque):
    torque.set("answer-lost")
    text = "qsub: submit error (This stream has already been closed. End of File.)\n"
    assert torque.run("qsub -h ok.sh") == Reply(67, "", text)
    assert "1.login1                   ok.sh" in torque.run("qstat").stdout


def test_disabled_queue_refuses_jobs_until_enabled(torque):
    torque.set("queue-disabled")
    text = "Queue is not enabled MSG=queue is disabled: user render@login1, queue workq"
    assert torque.run("qsub ok.sh") == Reply(175, "", f"qsub: submit error ({text})\n")
    torque.clear("queue-disabled")
    assert torque.run("qsub -h ok.sh").code == 0


def test_qdel_of_a_running_job_ends_its_script_at_once(torque):
    """TERM ends the login shell and so its session, before the script's trap ends."""
    torque.run("qsub waits.sh")
    session = torque.wait(1, "R")["session"]
    wait_for((torque.home / "began").exists)
    assert len(processes(session)) >= 3
    assert torque.run("qdel 1") == Reply(0, "", "")
    assert torque.job(1)["exit_status"] == 271
    assert processes(session) == []
    assert not (torque.home / "exit").exists()


def test_qdel_of_a_queued_job_leaves_no_exit_status(torque):
    torque.set("queue-stopped")
    torque.run("qsub ok.sh")
    torque.run("qdel 1")
    assert torque.job(1)["job_state"] == "C"
    assert "<exit_status>" not in torque.run("qstat -x 1").stdout


def test_job_ends_at_its_walltime(torque):
    torque.run("qsub -l nodes=1:ppn=2,walltime=00:00:01 -j oe ok.sh")
    assert torque.wait(1, "C")["exit_status"] == -11
    output = (torque.home / "ok.sh.o1").read_text()
    assert re.fullmatch("=>> PBS: job killed: walltime [0-9]+ exceeded limit 1\n", output)


def test_script_has_an_exit_code_and_output_files(torque):
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
    assert "<Rerunable>False</Rerunable>" in torque.run("qstat -x 1").stdout


def test_command_line_overrides_the_script(torque):
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


def test_unsupported_commands_are_refused(torque):
    for command in ("qsub -t 0-3 ok.sh", "qstat -f 1", "qdel -p 1"):
        assert torque.run(command).code == 99
