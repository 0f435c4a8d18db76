"""The batch systems' answers: recorded sessions, and answers that are broken or poisoned."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raycrafter.cluster.batch.registry import SCHEDULERS
from raycrafter.cluster.batch.reply import Phase, Refused, Reply, Submitted, Verdict, number
from raycrafter.cluster.errors import PollError
from raycrafter.cluster.scheduler import MARK, Scheduler

from tests.unit.batch_answers.samples import TORQUE_HEADER, torque_row

PBS, HISTORY, SLURM = "openpbs-23.06.txt", "openpbs-23.06-history.txt", "slurm-22.05-torque-wrappers.txt"


def result(recorded) -> Reply:
    return Reply(recorded.code, recorded.stdout, recorded.stderr)


def answers_of(session, name: str, program: str) -> dict[str, Reply]:
    """The last answer to each command of one program."""
    return {it.command: result(it) for it in session(name) if it.command.split()[0] == program}


@pytest.mark.parametrize(
    ("name", "scheduler", "command", "expected"),
    [
        (PBS, "pbspro", "qsub -h ok.sh", Submitted("1002.pbs")),
        (PBS, "pbspro", "qsub -J 0-3 ok.sh", Submitted("1001[].pbs")),
        (PBS, "pbspro", "qsub -q nosuch ok.sh", (Verdict.FATAL, "qsub: Unknown queue")),
        (PBS, "pbspro", "qsub -l select=1:nosuch=3 ok.sh", (Verdict.FATAL, "qsub: Unknown resource: nosuch")),
        (PBS, "pbspro", "qsub -l walltime=abc ok.sh", (Verdict.FATAL, "Illegal attribute")),
        (PBS, "pbspro", "qsub /nonexistent", (Verdict.FATAL, "No such file")),
        (PBS, "pbspro", "qsub ok.sh", (Verdict.LIMIT, "would exceed complex's per-user limit")),
        (SLURM, "slurm_torque", "qsub ok.sh", Submitted("2")),
        (SLURM, "slurm_torque", "qsub -q nosuch ok.sh", (Verdict.FATAL, "Invalid partition name specified")),
        (SLURM, "slurm_torque", "qsub -l walltime=abc ok.sh", (Verdict.FATAL, "Invalid time limit")),
    ],
)
def test_recorded_submissions(session, name, scheduler, command, expected) -> None:
    answer = Scheduler(scheduler).submitted(answers_of(session, name, "qsub")[command])
    if isinstance(expected, Submitted):
        assert answer == expected
    else:
        assert isinstance(answer, Refused)
        assert answer.verdict is expected[0]
        assert expected[1] in answer.text


@pytest.mark.parametrize(
    ("scheduler", "answer", "verdict"),
    [
        ("torque", Reply(0, "", ""), Verdict.DOUBT),
        ("torque", Reply(0, "12345", ""), Verdict.DOUBT),  # no server: not a whole answer
        ("torque", Reply(0, "12345.srv\nhave a nice day", ""), Verdict.DOUBT),
        ("torque", Reply(0, "12345.srv; rm -rf /", ""), Verdict.DOUBT),
        ("torque", Reply(0, "12345.srv\x1b[0m", ""), Verdict.DOUBT),
        ("torque", Reply(237, "", "Connection to server timed out"), Verdict.DOUBT),
        ("torque", Reply(35, "", "login busy"), Verdict.BUSY),
        ("torque", Reply(170, "", ""), Verdict.FATAL),
        ("torque", Reply(172, "", "Unknown queue"), Verdict.FATAL),
        ("pbspro", Reply(162, "", "system error"), Verdict.DOUBT),
        ("torque", Reply(1, "", "qsub: cannot connect to server sdb (errno=111) Connection refused"), Verdict.BUSY),
        ("pbspro", Reply(1, "", "Connection refused\nqsub: cannot connect to server pbs (errno=15010)"), Verdict.BUSY),
        ("pbspro", Reply(162, "", "Connection refused\nqsub: cannot connect to server pbs"), Verdict.BUSY),
        # The first try may have been taken.
        ("torque", Reply(1, "", "Connection to server timed out. Trying again\nConnection refused"), Verdict.DOUBT),
        *((kind, Reply(127, "", "sh: 1: qsub: not found"), Verdict.BUSY) for kind in SCHEDULERS),
        *((kind, Reply(126, "", "qsub: Permission denied"), Verdict.BUSY) for kind in SCHEDULERS),
        *((kind, Reply(code, "", ""), Verdict.DOUBT) for kind in SCHEDULERS for code in (137, 143, -9)),
        ("torque", Reply(159, "", ""), Verdict.FATAL),  # Torque's own, though it could be a signal's
        ("slurm_torque", Reply(0, "2\n3 extra", ""), Verdict.DOUBT),
        ("slurm_torque", Reply(1, "sbatch: error: Socket timed out on send/recv", ""), Verdict.DOUBT),
        ("slurm_torque", Reply(1, "Unable to contact slurm controller (connect failure)", ""), Verdict.BUSY),
        ("slurm_torque", Reply(1, "error: QOSMaxSubmitJobPerUserLimit", ""), Verdict.LIMIT),
    ],
)
def test_submissions_without_a_certain_id(scheduler, answer, verdict) -> None:
    refused = Scheduler(scheduler).submitted(answer)
    assert isinstance(refused, Refused) and refused.verdict is verdict and refused.text


def test_a_command_that_is_not_there_is_named() -> None:
    refused = Scheduler("slurm").submitted(Reply(127, "", "sh: 1: sbatch: not found"))
    assert isinstance(refused, Refused)
    assert refused.text.startswith("sh: 1: sbatch: not found (sbatch was not run: it must be on PATH")


def test_a_warning_before_the_id_is_read_over() -> None:
    answer = Scheduler("torque").submitted(Reply(0, "qsub: option -S is ignored\n77.sdb\n", "warning"))
    assert answer == Submitted("77.sdb")


def test_recorded_listing_of_pbs(session) -> None:
    seen = Scheduler("pbspro").listed(answers_of(session, PBS, "qstat")["qstat"])
    phases = {number: one.phase for number, one in seen.items()}
    assert phases == {
        "1000": Phase.RUNNING,
        "1001": Phase.RUNNING,  # B: an array that has begun
        "1002": Phase.WAITING,
        "1003": Phase.WAITING,
        "1007": Phase.WAITING,
        "1008": Phase.WAITING,
        "1009": Phase.WAITING,
    }
    assert seen["1003"].name == "rcfail"


def test_recorded_listing_of_slurm(session) -> None:
    seen = Scheduler("slurm_torque").listed(answers_of(session, SLURM, "qstat")["qstat"])
    assert {one.number for one in seen.values()} == {"2", "3", "4", "5", "6", "7"}
    assert seen["2"].phase is Phase.RUNNING and seen["3"].name == "mpp.sh"


# not recorded: the values; form: recorded/torque-6.1.3.txt, `qstat`
TORQUE = (
    TORQUE_HEADER
    + torque_row("12345.sdb", "rcaaaaaaaaaaaaa", "ray", "00:10:00", "R")
    + torque_row("12346.sdb", "rcbbbbbbbbbbbbb", "ray", "0", "Q")
    + torque_row("12347[].sdb", "rcccccccccccccc", "ray", "-", "E")
    + torque_row("12348.sdb", "rcddddddddddddd", "ray", "00:10:00", "C")
)


def test_listing_of_torque() -> None:
    seen = Scheduler("torque").listed(Reply(0, TORQUE, ""))
    phases = [one.phase for one in seen.values()]
    assert phases == [Phase.RUNNING, Phase.WAITING, Phase.RUNNING, Phase.ENDED]


def test_noise_before_and_within_a_listing_hides_nothing() -> None:
    """A login banner, other people's names, states that nobody knows."""
    poison = (
        "99999.sdb  R multi\n"
        "12345.sdb                  evil\x0c12346.sdb  x ray 0 C multi\n"
        + torque_row("12349.sdb", "my job name", "ray", "00:00:01", "R")
        + torque_row("12350.sdb", "rceeeeeeeeeeeee", "ray", "00:00:01", "Z")
        + torque_row("12351.sdb", "rcjoe", "j\ufffdrg", "0", "H").replace("j\ufffdrg           ", "jörg          ")
        + "\x00\x1b]0;\n"
    )
    seen = Scheduler("torque").listed(Reply(0, "*** maintenance on Monday ***\n\n" + TORQUE + poison, "warning\n"))
    assert seen["12346"].phase is Phase.WAITING
    assert seen["12349"].name == "my job name"
    assert seen["12351"].user == "jörg"  # its columns are counted in bytes
    assert seen["12350"].phase is Phase.RUNNING  # it is there, and that is all that is known
    assert "99999" not in seen


@pytest.mark.parametrize(("scheduler", "code"), [("torque", 0), ("pbspro", 0), ("slurm_torque", 153)])
def test_noise_of_the_login_shell_is_not_the_answer(scheduler, code) -> None:
    noise = Reply(code, f"Welcome\nJob id    Name is a header, too\n{MARK}\n", "stty: not a tty\n")
    assert Scheduler(scheduler).listed(noise) == {}
    with pytest.raises(PollError, match="cannot connect"):
        Scheduler(scheduler).listed(Reply(code, f"Welcome\n{MARK}\nqstat: cannot connect to server\n", ""))


@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS))
@pytest.mark.parametrize(
    "answer",
    [
        Reply(1, "", ""),
        Reply(0, "", "qstat: cannot connect to server sdb (errno=111)"),
        Reply(153, "", "pbs_iff: cannot read reply"),
        Reply(255, "", "Problem loading jobs."),
        Reply(0, "<html>502</html>", ""),
        Reply(1, TORQUE, ""),
    ],
)
def test_a_broken_listing_is_no_listing(scheduler, answer) -> None:
    with pytest.raises(PollError):
        Scheduler(scheduler).listed(answer)


@pytest.mark.parametrize(("scheduler", "code"), [("torque", 0), ("pbspro", 0), ("slurm_torque", 153)])
def test_an_empty_batch_system_says_nothing(scheduler, code) -> None:
    assert Scheduler(scheduler).listed(Reply(code, "", "")) == {}


def test_recorded_errors_are_no_listing(session) -> None:
    for name, scheduler in ((PBS, "pbspro"), (HISTORY, "pbspro"), (SLURM, "slurm_torque")):
        for command, answer in answers_of(session, name, "qstat").items():
            if answer.code or answer.stderr:
                if (command, scheduler) == ("qstat 99999", "slurm_torque"):
                    continue  # silent 153 is what an empty system says too; nobody asks for single jobs
                with pytest.raises(PollError):
                    Scheduler(scheduler).listed(answer)


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=100), st.integers(0, 255))
def test_no_answer_is_read_as_anything_but_a_listing_or_an_error(stdout, stderr, code) -> None:
    for scheduler in SCHEDULERS:
        try:
            seen = Scheduler(scheduler).listed(Reply(code, stdout, stderr))
        except PollError:
            continue
        assert seen == {} or "Name" in stdout


@pytest.mark.parametrize(
    ("name", "scheduler", "command", "gone"),
    [
        (PBS, "pbspro", "qdel 1000.pbs", True),  # the second time: 153
        (PBS, "pbspro", "qdel 99999.pbs", True),
        (HISTORY, "pbspro", "qdel 2002.pbs", True),
        (HISTORY, "pbspro", "qdel 2000.pbs", True),  # has finished: 35
        (SLURM, "slurm_torque", "qdel 99999", True),
    ],
)
def test_recorded_deletions(session, name, scheduler, command, gone) -> None:
    assert (Scheduler(scheduler).deleted(answers_of(session, name, "qdel")[command]) is None) is gone


def test_a_deletion_that_failed() -> None:
    refused = Scheduler("slurm_torque").deleted(Reply(1, "qdel: Kill job error on job id 5: Access denied\n", ""))
    assert refused and "Access denied" in refused.text
    busy = Scheduler("torque").deleted(Reply(35, "", "busy"))
    assert busy and busy.verdict is Verdict.BUSY


def test_the_same_code_means_different_things() -> None:
    """The table is keyed on the kind: 35 and 170 are the traps."""
    codes = {scheduler: SCHEDULERS[scheduler].codes for scheduler in ("torque", "pbspro")}
    assert codes["torque"][35] is Verdict.BUSY and codes["pbspro"][35] is Verdict.GONE
    assert codes["torque"][170] is Verdict.GONE and codes["pbspro"][170] is Verdict.FATAL
    assert codes["torque"][176] is Verdict.FATAL and 176 not in codes["pbspro"]


@pytest.mark.parametrize("native_id", ["12345.sdb", "0:12345.sdb", "12345", "12345[].sdb", "12345[3].sdb"])
def test_numbers_of_ids(native_id) -> None:
    assert number(native_id) == "12345"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="use one of torque, pbspro, slurm_torque"):
        Scheduler("lsf")
