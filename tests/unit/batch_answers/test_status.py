"""Test the readers of full status with recorded and with broken answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_utils.batch.pbspro import qstat_json
from module_utils.batch.qstat import folded
from module_utils.batch.registry import DIALECTS, SCHEDULERS
from module_utils.batch.reply import AnswerError, Attributes, Job, Phase, Reply, same_job, same_user
from module_utils.batch.slurm import sacct, squeue, wrapper
from module_utils.batch.torque import qstat_xml
from tests.unit.batch_answers.samples import SACCT, SQUEUE, TORQUE_FOLDED, TORQUE_XML

PBS, TORQUE, WRAPPER, SLURM = (SCHEDULERS[kind] for kind in ("pbspro", "torque", "slurm_torque", "slurm"))


def one(system, read: Callable[[str], list[Attributes]], text: str) -> Job:
    [job] = system.jobs(read, text)
    return job


@pytest.mark.parametrize(
    ("system", "read", "file", "expected"),
    [
        (PBS, folded, "openpbs-23.06-qstat-f-running.txt", ("1000.pbs", "rcok", "R", Phase.RUNNING, None, 0)),
        (PBS, qstat_json, "openpbs-23.06-qstat-f-running.json", ("1000.pbs", "rcok", "R", Phase.RUNNING, None, 0)),
        (PBS, folded, "openpbs-23.06-qstat-x-f-failed.txt", ("2000.pbs", "rcfail", "F", Phase.ENDED, 3, 0)),
        (PBS, qstat_json, "openpbs-23.06-qstat-x-f-failed.json", ("2000.pbs", "rcfail", "F", Phase.ENDED, 3, 0)),
        (PBS, folded, "openpbs-23.06-qstat-x-f-walltime.txt", ("2001.pbs", "rcwall", "F", Phase.ENDED, -29, 10)),
        (PBS, folded, "openpbs-23.06-qstat-x-f-deleted.txt", ("2002.pbs", "rcdel", "F", Phase.ENDED, 271, 8)),
        (WRAPPER, wrapper, "slurm-22.05-qstat-f-running.txt", ("2", "rcok", "R", Phase.RUNNING, None, None)),
        (WRAPPER, wrapper, "slurm-22.05-qstat-f-queued.txt", ("4", "rcfail", "Q", Phase.WAITING, None, None)),
    ],
)
def test_recorded_status_is_read(recorded, system, read, file, expected) -> None:
    job = one(system, read, recorded(file))
    assert (job.native_id, job.name, job.state, job.phase, job.exit_status, job.walltime_used) == expected
    assert (job.user, job.queue) == ("ray", "workq")
    assert job.hosts == (() if job.phase is Phase.WAITING else ("pbs",) if system is PBS else ("login",))


def test_torques_xml_is_read() -> None:
    job = one(TORQUE, qstat_xml, f"*** Monday: <maintenance> ***\n{TORQUE_XML}")
    assert job == Job("12345.sdb", "rcselftest", "ray", "C", Phase.ENDED, "multi", 271, 25 * 3600 + 1, ("nid1", "nid2"))


@pytest.mark.parametrize("text", ["", "<Data></Job></Data>", TORQUE_XML[:-10], TORQUE_XML.replace("job_state>", "x>")])
def test_broken_xml_is_an_error(text) -> None:
    with pytest.raises(AnswerError):
        TORQUE.status(Reply(0, text, ""), "12345.sdb")


def test_folded_status_with_newlines_in_values_is_read() -> None:
    for text in (TORQUE_FOLDED, TORQUE_FOLDED.replace("\n\t", "")):  # the second is qstat -f -1
        job = one(TORQUE, folded, f"motd\n{text}")
        assert (job.exit_status, job.walltime_used, job.hosts) == (3, 61, ("nid1", "nid2"))


@pytest.mark.parametrize(
    "poison",
    [
        "}\n    exit_status = 0\n    exit_status = 3",  # an environment that writes attributes
        "}\n    job_state = R\n    exit_status = 3",
        "}\n\nJob Id: 12345.sdb\n    Job_Name = x\n    job_state = C\n    exit_status = 3",
        "}\nJob Id: 99999.sdb",
    ],
)
def test_poisoned_environment_is_an_error(poison) -> None:
    text = TORQUE_FOLDED.replace("}\n    exit_status = 3", poison)
    assert text != TORQUE_FOLDED
    with pytest.raises(AnswerError):
        PBS.status(Reply(0, text, ""), "12345.sdb")


def test_cut_id_is_an_error() -> None:
    for system, text in ((PBS, TORQUE_FOLDED), (TORQUE, TORQUE_XML)):
        with pytest.raises(AnswerError, match="no job id"):
            system.status(Reply(0, text.replace("12345.sdb", "12345"), ""), "12345")


def test_requeued_job_has_no_exit_status() -> None:
    job = one(TORQUE, folded, TORQUE_FOLDED.replace("job_state = C", "job_state = R"))
    assert (job.phase, job.exit_status) == (Phase.RUNNING, None)


def test_cut_status_gives_no_wrong_exit_status(recorded) -> None:
    text = recorded("openpbs-23.06-qstat-x-f-deleted.txt")
    for end in range(len(text) - 1):
        try:
            job = PBS.status(Reply(0, text[:end], ""), "2002.pbs")
        except AnswerError:
            continue
        assert job and job.exit_status in (None, 271)


@pytest.mark.parametrize(
    "broken",
    [
        '"PBS_O_QUEUE":\t005',
        '"A":\t"\\x"',
        '"A":\t"tab\there"',
        '"A":\t"1",\n\t\t\t\t"A":\t"2"',
        '"BASH_FUNC_m%%":\t"() {  echo "hi";\n}"',
        '"Exit_status":\t"0"',
    ],
)
def test_json_broken_by_environments_is_read(recorded, broken) -> None:
    text = recorded("openpbs-23.06-qstat-x-f-failed.json").replace('"PBS_O_QUEUE":\t"workq"', broken)
    assert broken in text
    job = one(PBS, qstat_json, f"Last login: {{today}}\n{text}")
    assert (job.native_id, job.name, job.exit_status, job.walltime_used) == ("2000.pbs", "rcfail", 3, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Exit_status":\t3', '"Exit_status":\t0,\n\t\t\t"Exit_status":\t3'),
        ('"PBS_O_QUEUE":\t"workq"', '"A":\t005,\n\t\t\t"Exit_status":\t0'),  # by lines: out of an environment
        ('"Jobs":\t{', '"Jobs":\t5,\n\t"x":\t{'),
        ('"job_state":\t"F",', ""),
        ("\n\t\t}\n\t}\n}\n", ""),
        ("\n\t\t}\n\t}\n}\n", "\n}\n"),
    ],
)
def test_unreadable_json_is_an_error(recorded, old, new) -> None:
    text = recorded("openpbs-23.06-qstat-x-f-failed.json")
    assert old in text
    with pytest.raises(AnswerError):
        PBS.jobs(qstat_json, text.replace(old, new))


def test_broken_json_of_several_jobs_is_read(recorded) -> None:
    text = recorded("openpbs-23.06-qstat-x-f-failed.json").replace('"PBS_O_QUEUE":\t"workq"', '"A":\t005')
    begin, end = text.index('\t\t"2000.pbs"'), text.index("\n\t}\n}\n")
    first = text[begin:end]
    both = f"{text[:begin]}{first},\n{first.replace('2000.pbs', '2009.pbs')}{text[end:]}"
    assert [job.native_id for job in PBS.jobs(qstat_json, both)] == ["2000.pbs", "2009.pbs"]
    with pytest.raises(AnswerError, match=r"2000\.pbs has no end"):
        PBS.jobs(qstat_json, both.replace('\t\t},\n\t\t"2009', '\t\t"2009'))
    with pytest.raises(AnswerError, match="no whole JSON"):  # cut: the second job is not gone
        PBS.jobs(qstat_json, both[: both.index('\t\t"2009')])


def test_json_without_jobs_has_none() -> None:
    text = '{\n\t"timestamp":\t1795386470,\n\t"pbs_server":\t"pbs"\n}\n'
    assert PBS.jobs(qstat_json, text) == []


def test_squeue_is_read() -> None:
    jobs = {job.native_id: job for job in SLURM.jobs(squeue, f"Welcome|to|all\n{SQUEUE}")}
    running = jobs["71"]
    assert running.walltime_used == 26 * 3600 + 184 and running.hosts == ("nid[001-003,7]", "gpu1")
    assert [(job.name, job.phase, job.exit_status) for job in jobs.values()] == [
        ("rcselftest", Phase.RUNNING, None),
        ("rcarray", Phase.WAITING, None),
        ("rc|done", Phase.ENDED, 0),  # COMPLETED means 0
        ("rcfailed", Phase.ENDED, None),
        ("rcodd", Phase.RUNNING, None),  # an unlisted state says only that the job exists
    ]


@pytest.mark.parametrize("text", ["", SQUEUE[:-1], SQUEUE[:-20], SQUEUE.replace("|ray||", "|"), SQUEUE[10:], "71|R\n"])
def test_cut_squeue_is_an_error(text) -> None:
    with pytest.raises(AnswerError):
        SLURM.jobs(squeue, text)


def test_sacct_is_read() -> None:
    jobs = SLURM.jobs(sacct, f"Welcome\n{SACCT}")
    assert jobs[0].walltime_used == 26 * 3600 + 184 and jobs[0].hosts == ("nid[001-003,7]", "gpu1")
    assert [(job.name, job.state, job.phase, job.exit_status) for job in jobs] == [
        ("rcselftest", "COMPLETED", Phase.ENDED, 0),
        ("rc|failed", "FAILED", Phase.ENDED, 3),
        ("rctimeout", "TIMEOUT", Phase.ENDED, None),  # its 0:0 is no success
        ("rccancelled", "CANCELLED", Phase.ENDED, None),
        ("rcmemory", "OUT_OF_MEMORY", Phase.ENDED, 128 + 125),
        ("rckilled", "FAILED", Phase.ENDED, 128 + 9),
        ("rcrunning", "RUNNING", Phase.RUNNING, None),
        ("rcwaiting", "PENDING", Phase.WAITING, None),
    ]
    assert jobs[3].hosts == ()


def test_sacct_of_one_job_is_read() -> None:
    asked, header = SLURM.commands.history, SACCT.split("\n")[0]
    assert SLURM.status(Reply(0, SACCT, ""), "72", asked).exit_status == 3
    assert SLURM.status(Reply(0, f"{header}\n", ""), "72", asked) is None
    disabled = Reply(1, "", "Slurm accounting storage is disabled\n")
    assert SLURM.status(disabled, "72", asked) is None
    for broken in (SACCT, SACCT.replace("72|", "79|"), f"{header}\n72|FAILED\n", header, "", SACCT.replace("3:0", "3")):
        with pytest.raises(AnswerError):
            SLURM.status(Reply(0, broken[:-1] if broken == SACCT else broken, ""), "72", asked)
    with pytest.raises(AnswerError, match="Connection refused"):
        SLURM.status(Reply(1, "", "sacct: error: slurm_persist_conn_open: Connection refused\n"), "72", asked)


@pytest.mark.parametrize(
    ("system", "reply"),
    [
        (PBS, Reply(153, "", "qstat: Unknown Job Id 99999.pbs\n")),
        (PBS, Reply(35, "", "qstat: 2000.pbs Job has finished, use -x or -H to obtain historical job information\n")),
        (PBS, Reply(0, "", "qstat: PBS is not configured to maintain job history 1003.pbs\n")),
        (TORQUE, Reply(153, "", "qstat: Unknown Job Id Error 12345.sdb\n")),
        (WRAPPER, Reply(153, "", "")),
        (SLURM, Reply(1, "", "slurm_load_jobs error: Invalid job id specified\n")),
    ],
)
def test_unknown_job_is_none(system, reply) -> None:
    assert system.status(reply, "12345") is None


@pytest.mark.parametrize("system", SCHEDULERS.values(), ids=SCHEDULERS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(0, "", ""),
        Reply(1, "", ""),
        Reply(153, "", "pbs_iff: cannot read reply"),
        Reply(30, "", "busy"),
        Reply(255, "Problem loading jobs.\n", ""),
        Reply(0, "", "cannot connect to server"),
        Reply(0, "<html>502 Unknown</html>\n", ""),
        Reply(137, TORQUE_XML, ""),
        Reply(0, TORQUE_XML.replace("12345", "54321"), ""),
        Reply(0, TORQUE_FOLDED.replace("12345", "54321"), ""),
        Reply(0, SQUEUE, ""),
    ],
)
def test_unreadable_answer_is_an_error_and_never_no_job(system, reply) -> None:
    with pytest.raises(AnswerError):
        system.status(reply, "12345")


def test_cut_ids_and_users_are_compared() -> None:
    assert same_job("12345.sdb", "0:12345.sdb") and same_job("12345", "12345.sdb") and same_job("7.a", "7.ab")
    assert not same_job("1234.sdb", "12345.sdb") and not same_job("7.a", "7.b") and not same_job("", "")
    assert same_user("ray", "ray") and same_user("averylongusern*"[:14] + "a*", "averylongusernames")
    assert not same_user("ray", "raymond") and not same_user("", "ray")


def test_every_dialect_has_a_scheduler() -> None:
    assert {dialect for system in SCHEDULERS.values() for dialect in system.dialects} == set(DIALECTS)
