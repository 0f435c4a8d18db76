"""Read every command of the recorded sessions.

The expected readings are in recorded/*.verdicts: the command's line in the session, the command, and its reading.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from module_utils.batch.registry import SCHEDULERS
from module_utils.batch.reply import AnswerError, Reply, Verdict, number
from module_utils.batch.scheduler import Scheduler
from tests.unit.batch_answers import sessions

HERE = Path(__file__).parent
READ_BY = {  # program and options, and the reader of their answer
    "qsub": "submitted",
    "qstat(?: `.*)?$": "listed",
    "qstat -x .": "status",
    "qdel": "deleted",
    "(?:time |/usr/bin/)*sbatch": "submitted",
    "(?:SLURM_CLUSTERS=slm |time )?squeue -t all -o '%i.%t.%M.%P.%u.%N.%j' (?:-u|-n)": "listed",
    "squeue -t all -o '%i.%t.%M.%P.%u.%N.%j' -j": "status",
    "sacct -X -P -o JobIDRaw,State,ElapsedRaw,Partition,User,NodeList,ExitCode,JobName -j": "history",
    "(?:time )?scancel": "deleted",
}


def reading(scheduler: Scheduler, command: str, reply: Reply) -> str | None:
    """Return the reading of a command's answer, None for a command that the service does not use."""
    how = next((how for pattern, how in READ_BY.items() if re.match(rf"(?:{pattern})", command)), None)
    asked = re.split(r"[ `]+", command.strip("`"))[-1]
    try:
        match how:
            case None:
                return None
            case "submitted":
                answer = scheduler.submitted(reply)
                return f"job {answer.native_id}" if hasattr(answer, "native_id") else _refusal(answer)
            case "deleted":
                return _refusal(refused) if (refused := scheduler.deleted(reply)) else "gone"
            case "listed":
                jobs = [
                    f"{it.short_id} {it.name!r} {it.user} {it.state} {it.phase.value}"
                    for it in scheduler.listed(reply).values()
                ]
                aside = [f"aside: {line}" for line in scheduler.listed(reply).unreadable]
                return "\n    ".join(["listing of", *(jobs or ["no job"]), *aside])
            case "status" | "history":
                question = getattr(scheduler.commands, how)
                found = re.findall(r"<Job_Id>([^<]+)|^([0-9]+)\|", reply.stdout, re.MULTILINE)
                wanted = asked if asked[:1].isdigit() else "".join(found[0])
                job = scheduler.status(reply, wanted, question)
                if job is None:
                    return "unknown job"
                end = scheduler.ending(job.state, job.exit_status).text if job.phase.value == "ended" else ""
                return f"{number(job.native_id)} {job.name!r} {job.user} {job.state} {job.phase.value} {end}".strip()
    except AnswerError as error:
        return f"no answer: {str(error)[:120]}"
    raise AssertionError(how)


def _refusal(refused) -> str:
    return f"{refused.verdict.name}: {' '.join(refused.text.split())[:120]}"


def table(kind: str, session: str) -> str:
    """Return the readings of a whole session."""
    lines = []
    for it in sessions.read(session):
        told = reading(SCHEDULERS[kind], it.command, it.reply)
        if told is not None:
            lines.append(f"{it.line} {it.command}\n  {told}\n")
    return "".join(lines)


# Verdicts of the answers that recorded/torque-6.1.3.txt counts under load, by exit code.
COUNTED = {111: Verdict.BUSY, 214: Verdict.BUSY, 67: Verdict.DOUBT}


def test_torque_under_load_is_busy_or_in_doubt() -> None:
    text = (sessions.RECORDED / "torque-6.1.3.txt").read_text()
    told = re.findall(r"^ +[0-9-]+ of \d+: +exit (\d+) +err: (.*?)(?:     \(|$)", text, re.MULTILINE)
    read = {
        int(code): SCHEDULERS["torque"].submitted(Reply(int(code), "", f"{words}\n")).verdict for code, words in told
    }
    assert read == COUNTED
    # Its code was not recorded.
    assert "(End of File) Broken pipe" in text
    for code in (1, 32, 67):
        refused = SCHEDULERS["torque"].submitted(Reply(code, "", "qsub: submit error ((End of File) Broken pipe)\n"))
        assert refused.verdict is Verdict.DOUBT


@pytest.mark.parametrize("kind", ["torque", "pbspro", "slurm", "slurm_torque"])
def test_unknown_answer_is_a_wait(kind: str) -> None:
    for code in (3, 9, 57, 104, 240):
        assert SCHEDULERS[kind].submitted(Reply(code, "", "a word of tomorrow\n")).verdict is Verdict.BUSY
    # ended by timeout(1) or a signal: it may have been done before
    for code in (124, 137):
        assert SCHEDULERS[kind].submitted(Reply(code, "", "")).verdict is Verdict.DOUBT


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [((16, 31, 63, 173, 187, 198, 255), Verdict.BUSY), ((165, 185), Verdict.DOUBT), ((168, 154), Verdict.FATAL)],
)
def test_codes_in_torques_source_have_verdicts(codes: tuple[int, ...], verdict: Verdict) -> None:
    """not recorded: src/include/pbs_error_db.h has them, with texts that say who can fix it."""
    assert {SCHEDULERS["torque"].submitted(Reply(code, "", "qsub: submit error\n")).verdict for code in codes} == {
        verdict
    }


@pytest.mark.parametrize(("kind", "session"), [("torque", "torque-6.1.3"), ("slurm", "slurm-24.11")])
def test_recorded_session_has_its_recorded_readings(kind: str, session: str) -> None:
    assert table(kind, f"{session}.txt") == (HERE / "recorded" / f"{session}.verdicts").read_text()
