"""Test submitting, following and cancelling one job by its name; the scheduler is a table of replies."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from module_utils.batch.jobs import JobError, Jobs, array_line, exit_code
from module_utils.batch.process import LimitError
from module_utils.batch.registry import SCHEDULERS
from module_utils.batch.reply import Phase, Reply, Verdict
from tests.unit.batch_answers.samples import SACCT, SQUEUE, TORQUE_HEADER, torque_row

LISTING = """\
Job id            Name             User              Time Use S Queue
----------------  ---------------- ----------------  -------- - -----
{rows}"""
ROW = "{id:<17} {name:<16} {user:<16} {time:>9} {state} workq\n"
FULL = "Job Id: {id}\n    Job_Name = {name}\n    Job_Owner = {user}@pbs\n    job_state = {state}\n{more}\n"
UNKNOWN = Reply(153, "", "qstat: Unknown Job Id\n")


def listing(*rows: tuple[str, str, str, str]) -> Reply:
    """Return a plain qstat of PBS Pro with rows of id, name, user and state."""
    text = "".join(ROW.format(id=row[0], name=row[1], user=row[2], time="0", state=row[3]) for row in rows)
    return Reply(0, LISTING.format(rows=text) if rows else "", "")


def full(state: str, native_id: str = "7.pbs", user: str = "ray", more: str = "") -> Reply:
    return Reply(0, FULL.format(id=native_id, name="rcjob", user=user, state=state, more=more), "")


MINE = listing(("7.pbs", "rcjob", "ray", "R"))


class Pbs:
    """Replies by the first words of a command; the last one of a list is repeated."""

    def __init__(self, **replies: Reply | list[Reply]) -> None:
        self.replies = dict(replies)
        self.asked: list[list[str]] = []
        self.directories: list[str | None] = []
        self.now = 0.0
        self.on_sleep: Callable[[], object] = lambda: None

    def run(self, words: list[str], directory: str | None) -> Reply:
        self.asked.append(list(words))
        self.directories.append(directory)
        asked = " ".join(words)
        key = max((key for key in self.replies if f"{asked} ".startswith(f"{key} ")), key=len)
        reply = self.replies[key]
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        return reply

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.on_sleep()

    def jobs(self) -> Jobs:
        return Jobs(SCHEDULERS["pbspro"], "ray", self.run, self.sleep, lambda: self.now)


def pbs(qstat: Reply | list[Reply], status: Reply = UNKNOWN, history: Reply = UNKNOWN, **more) -> Pbs:
    made = Pbs(qstat=qstat, **more)
    made.replies.update({"qstat -f": status, "qstat -x -f": history})
    return made


def test_live_job_is_found_with_its_whole_id() -> None:
    long = listing(("7.hornet-batch.h", "rcjob", "ray", "Q"))
    [job] = pbs(long, full("Q", "7.hornet-batch.hww.hlrs.de")).jobs().live("rcjob")
    assert job.native_id == "7.hornet-batch.hww.hlrs.de" and job.phase is Phase.WAITING


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (listing(), UNKNOWN),
        (listing(("7.pbs", "rcother", "ray", "R")), full("R")),
        (listing(("7.pbs", "rcjob", "eve", "R")), full("R")),
        (listing(("7.pbs", "rcjob", "ray", "F")), full("F")),
        (MINE, full("F")),  # it ended between the two commands
        (MINE, UNKNOWN),
        (MINE, full("R", user="raymond")),
    ],
)
def test_jobs_of_others_and_ended_jobs_are_not_live(rows, status) -> None:
    assert pbs(rows, status).jobs().live("rcjob") == []


def test_ended_job_needs_no_full_status() -> None:
    site = pbs(listing(("7.pbs", "rcjob", "ray", "F")), full("F"))
    site.jobs().live("rcjob")
    assert site.asked == [["qstat"]]


@pytest.mark.parametrize(
    ("rows", "status"),
    [(Reply(0, "", "cannot connect"), UNKNOWN), (Reply(1, MINE.stdout, ""), full("R")), (MINE, Reply(0, "x\n", ""))],
)
def test_unreadable_answer_is_an_error(rows, status) -> None:
    with pytest.raises(JobError, match="not known whether a job 'rcjob' of ray is there") as caught:
        pbs(rows, status).jobs().live("rcjob")
    assert caught.value.verdict is Verdict.BUSY


def test_script_is_submitted_from_its_directory(tmp_path: Path) -> None:
    site = pbs(listing(), qsub=Reply(0, "warning\n7.pbs\n", ""))
    assert site.jobs().submit(Path("/w/my job.sh"), "rcjob", tmp_path) == "7.pbs"
    assert site.asked == [["qsub", "-N", "rcjob", "/w/my job.sh"]] and site.directories == [str(tmp_path)]


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(38, "", "qsub: would exceed complex's per-user limit\n"), Verdict.LIMIT),
        (Reply(170, "", "qsub: Unknown queue\n"), Verdict.FATAL),
        (Reply(171, "", "qsub: Bad credential\n"), Verdict.BUSY),
        (Reply(162, "", "qsub: system error\n"), Verdict.DOUBT),
    ],
)
def test_refusal_has_the_schedulers_words(reply, verdict) -> None:
    with pytest.raises(JobError) as caught:
        pbs(listing(), qsub=reply).jobs().submit(Path("/w/job.sh"), "rcjob", Path("/w"))
    assert (caught.value.verdict, caught.value.code, caught.value.text) == (verdict, reply.code, reply.stderr.strip())
    assert all(part in str(caught.value) for part in ("'rcjob'", "/w/job.sh", reply.stderr.strip(), str(reply.code)))


def test_submission_in_doubt_is_looked_up_and_never_repeated() -> None:
    lost = Reply(183, "", "qsub: Protocol failure\n")
    site = pbs(MINE, full("Q"), qsub=lost)
    assert site.jobs().submit(Path("/w/job.sh"), "rcjob", Path("/w")) == "7.pbs"
    assert [words[0] for words in site.asked].count("qsub") == 1
    with pytest.raises(JobError) as caught:  # the listing fails, too: report the doubt
        pbs(Reply(1, "", "no server"), qsub=lost).jobs().submit(Path("/w/job.sh"), "rcjob", Path("/w"))
    assert caught.value.verdict is Verdict.DOUBT


def test_missing_program_is_named() -> None:
    def run(words: list[str], directory: str | None) -> Reply:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(JobError, match=r"qstat cannot be run as ray.*PATH"):
        Jobs(SCHEDULERS["torque"], "ray", run).live("rcjob")


HUNG = LimitError("qsub: took longer than 60 s and was killed")


def hanging(site: Pbs, *programs: str) -> Jobs:
    """Return the jobs at a cluster where these programs do not end."""
    answer = site.run

    def run(words: list[str], directory: str | None) -> Reply:
        reply = answer(words, directory)
        if words[0] in programs:
            raise HUNG
        return reply

    return Jobs(SCHEDULERS["pbspro"], "ray", run, site.sleep, lambda: site.now)


TOLD = f"took longer than 60 s and was killed on {platform.node()}; .* raise command_timeout"


def test_hung_submission_is_looked_up_and_never_repeated() -> None:
    site = pbs(MINE, full("Q"), qsub=Reply(0, "7.pbs\n", ""))
    assert hanging(site, "qsub").submit(Path("/w/job.sh"), "rcjob", Path("/w")) == "7.pbs"
    for site in (pbs(listing(), qsub=UNKNOWN), pbs(Reply(1, "", "no server"), qsub=UNKNOWN)):
        with pytest.raises(JobError, match=TOLD) as caught:
            hanging(site, "qsub").submit(Path("/w/job.sh"), "rcjob", Path("/w"))
        assert caught.value.verdict is Verdict.DOUBT and caught.value.code is None
        assert [words[0] for words in site.asked].count("qsub") == 1


def test_hung_status_command_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=f"not known whether a job 'rcjob' of ray is there: .*{TOLD}") as caught:
        hanging(pbs(MINE), "qstat").live("rcjob")
    assert caught.value.verdict is Verdict.BUSY
    with pytest.raises(JobError, match=f"goes on; .*{TOLD}"):
        hanging(pbs(MINE), "qstat").wait("7.pbs", "rcjob", tmp_path, 5, 10)


def test_hung_cancel_command_is_a_doubt() -> None:
    [job] = pbs(MINE, full("R")).jobs().live("rcjob")
    with pytest.raises(JobError, match=f"qdel did not cancel job 'rcjob', 7.pbs .*{TOLD}") as caught:
        hanging(pbs(MINE, qdel=Reply(0, "", "")), "qdel").cancel(job)
    assert caught.value.verdict is Verdict.DOUBT


class Slurm(Pbs):
    """Slurm's own commands; sacct is missing unless it has a reply."""

    def run(self, words: list[str], directory: str | None) -> Reply:
        if words[0] == "sacct" and "sacct" not in self.replies:
            raise FileNotFoundError(2, "No such file or directory")
        return super().run(words, directory)

    def jobs(self) -> Jobs:
        return Jobs(SCHEDULERS["slurm"], "ray", self.run, self.sleep, lambda: self.now)


FORGOTTEN = Reply(1, "", "slurm_load_jobs error: Invalid job id specified\n")
NO_ACCOUNTS = Reply(1, "", "Slurm accounting storage is disabled\n")


@pytest.mark.parametrize("squeue", [Reply(0, SQUEUE, ""), FORGOTTEN], ids=["listed", "forgotten"])
def test_sacct_has_the_exit_code_that_squeue_lacks(tmp_path: Path, squeue) -> None:
    """squeue shows a failed job for some minutes, and never its exit code."""
    failed = SACCT.replace("72|FAILED", "74|FAILED").replace("74|CANCELLED", "72|CANCELLED").replace("rc|", "rc")
    site = Slurm(squeue=Reply(0, SQUEUE, ""), sacct=Reply(0, failed, ""))
    site.replies["squeue -t all -o %i|%t|%M|%P|%u|%N|%r|%j -j"] = squeue
    end = site.jobs().wait("74", "rcfailed", tmp_path, 60, 10)
    assert (end.exit_status, end.evidence, end.job.name) == (3, "status", "rcfailed")


@pytest.mark.parametrize("replies", [{"sacct": NO_ACCOUNTS}, {}], ids=["no accounts", "no sacct"])
def test_failed_job_without_accounting_is_gone(tmp_path: Path, replies) -> None:
    site = Slurm(squeue=Reply(0, SQUEUE, ""), **replies)
    with pytest.raises(JobError, match=r"gone and left no exit file .*\(state F\)") as caught:
        site.jobs().wait("74", "rcfailed", tmp_path, 60, 10)
    assert caught.value.verdict is Verdict.GONE and site.now == 10


def test_waiting_ends_with_the_exit_file(tmp_path: Path) -> None:
    site = pbs([MINE, MINE, listing()])
    site.on_sleep = lambda: (tmp_path / "exit").write_text("0:7.pbs 3\n")
    end = site.jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10)
    assert (end.exit_status, end.evidence, site.now) == (3, "exit_file", 20)


def test_waiting_ends_with_the_full_status_of_the_history(tmp_path: Path) -> None:
    (tmp_path / "exit").write_text("6.pbs 0\n")  # of an earlier run
    used = "    resources_used.walltime = 00:00:10\n    Exit_status = -29\n"
    end = pbs(listing(), UNKNOWN, full("F", more=used)).jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10)
    assert (end.exit_status, end.evidence, end.job.walltime_used) == (-29, "status", 10)


@pytest.mark.parametrize(
    "history", [UNKNOWN, full("F"), Reply(0, "", "qstat: PBS is not configured to maintain job history")]
)
def test_job_without_a_trace_is_no_success(tmp_path: Path, history) -> None:
    site = pbs(listing(), UNKNOWN, history)
    with pytest.raises(JobError, match=r"7\.pbs, is gone and left no exit file .*/exit") as caught:
        site.jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10)
    assert caught.value.verdict is Verdict.GONE
    assert site.now == 10  # a second look, for network file systems that show files late


def test_exit_status_of_0_without_an_exit_file_is_no_success(tmp_path: Path) -> None:
    """Recorded on Torque: a job whose processes died while its mom was away has state C and 0."""
    xml = (
        '<?xml version="1.0"?>\n<Data><Job><Job_Id>202.login1</Job_Id><Job_Name>rcnoexit</Job_Name>'
        "<Job_Owner>ray@login1</Job_Owner><job_state>C</job_state><exit_status>0</exit_status></Job></Data>\n"
    )
    rows = Reply(0, TORQUE_HEADER + torque_row("202.login1", "rcnoexit", "ray", "00:00:00", "C"), "")
    site = Pbs(qstat=rows, **{"qstat -x": Reply(0, xml, "")})
    jobs = Jobs(SCHEDULERS["torque"], "ray", site.run, site.sleep, lambda: site.now)
    with pytest.raises(JobError, match=r"no exit file .*its processes died \(state C, exit status 0\)") as caught:
        jobs.wait("202.login1", "rcnoexit", tmp_path, 60, 10)
    assert caught.value.verdict is Verdict.GONE
    (tmp_path / "exit").write_text("202.login1 0\n")
    assert jobs.wait("202.login1", "rcnoexit", tmp_path, 60, 10).evidence == "exit_file"


def test_unreadable_answer_while_waiting_changes_nothing(tmp_path: Path) -> None:
    site = pbs([Reply(1, "", "no server"), Reply(0, "", "no server"), MINE, listing()])
    site.on_sleep = lambda: site.now > 20 and (tmp_path / "exit").write_text("7.pbs 0\n")
    assert site.jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10).exit_status == 0


def test_waiting_ends_after_the_timeout(tmp_path: Path) -> None:
    site = pbs(MINE)
    with pytest.raises(JobError, match="has not ended within 25 s and goes on; run this again"):
        site.jobs().wait("7.pbs", "rcjob", tmp_path, 25, 10)
    assert site.now == 25 and len(site.asked) == 4
    with pytest.raises(JobError, match="could not be read: qstat ended with 1"):
        pbs(Reply(1, "", "x")).jobs().wait("7.pbs", "rcjob", tmp_path, 5, 10)


def test_exit_file_needs_no_full_status(tmp_path: Path) -> None:
    (tmp_path / "exit").write_text("7.pbs 0\n")
    end = pbs(listing(), Reply(0, "garbage\n", "")).jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10)
    assert (end.exit_status, end.job) == (0, None)


def test_job_in_the_full_status_alone_is_still_running(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="has not ended"):
        pbs(listing(), full("R")).jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10)


def test_exiting_job_is_waited_for(tmp_path: Path) -> None:
    """State E is not the end: the program may still write."""
    site = pbs([listing(("7.pbs", "rcjob", "ray", "E")), listing(("7.pbs", "rcjob", "ray", "F"))])
    site.on_sleep = lambda: (tmp_path / "exit").write_text("7.pbs 0\n")
    assert site.jobs().wait("7.pbs", "rcjob", tmp_path, 60, 10).exit_status == 0
    assert site.now == 10


def test_cancel_refuses_only_a_real_failure() -> None:
    [job] = pbs(MINE, full("R")).jobs().live("rcjob")
    for reply in (
        Reply(0, "", ""),
        Reply(153, "", "qdel: Unknown Job Id 7.pbs"),
        Reply(35, "", "qdel: Job has finished"),
    ):
        site = pbs(MINE, qdel=reply)
        site.jobs().cancel(job)
        assert site.asked == [["qdel", "7.pbs"]]
    with pytest.raises(JobError, match=r"qdel did not cancel job 'rcjob', 7\.pbs \(exit 159.*Unauthorized") as caught:
        pbs(MINE, qdel=Reply(159, "", "qdel: Unauthorized Request")).jobs().cancel(job)
    assert caught.value.verdict is Verdict.FATAL


def test_cancelled_job_is_gone_when_it_is_not_listed() -> None:
    site = pbs([MINE, Reply(1, "", "x"), listing()], full("R"))
    site.jobs().wait_gone("rcjob", 60, 10)
    assert site.now == 20
    with pytest.raises(JobError, match="is not gone after 20 s; it is not known whether"):
        pbs([MINE, Reply(1, "", "x")], full("R")).jobs().wait_gone("rcjob", 20, 10)
    with pytest.raises(JobError, match=r"is not gone after 20 s$"):
        pbs(MINE, full("R")).jobs().wait_gone("rcjob", 20, 10)


@pytest.mark.parametrize(
    "text", ["", "7.pbs", "7.pbs x", "7.pbs 0 0", "77.pbs 0", "7.other 0", "unknown 0", "7.pbs 0000"]
)
def test_exit_file_of_another_job_or_form_is_ignored(tmp_path: Path, text) -> None:
    assert exit_code(tmp_path, "7.pbs") is None
    (tmp_path / "exit").write_text(text)
    assert exit_code(tmp_path, "7.pbs") is None


@pytest.mark.parametrize(
    ("scheduler", "line", "asks"),
    [
        ("torque", "#PBS -t 0-9", True),
        ("torque", "#PBS -t0-9%2", True),
        ("torque", "#PBS -q workq -t 1", True),
        ("torque", "#PBS -J 0-9", False),
        ("torque", "#PBS -N -tool", False),
        ("torque", "#SBATCH --array=0-9", False),
        ("pbspro", "#PBS -J 0-9", True),
        ("slurm_torque", "#PBS -t 0-9", True),
        ("slurm", "#SBATCH --array=0-9", True),
        ("slurm", "#SBATCH --array 0-9", True),
        ("slurm", "#SBATCH --nodes=1", False),
        ("slurm", "echo #SBATCH --array=0-9", False),
    ],
)
def test_array_directive_is_found(scheduler: str, line: str, asks: bool) -> None:
    assert array_line(f"#!/bin/bash\n{line}\n", SCHEDULERS[scheduler].dialects) == (2 if asks else None)
