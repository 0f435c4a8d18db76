"""Test listings: garbage in an answer raises an error, and never hides a job or changes its id."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from module_utils.batch.pbspro import qstat_json
from module_utils.batch.qstat import folded
from module_utils.batch.registry import SCHEDULERS
from module_utils.batch.reply import AnswerError, Phase, Refused, Reply, Submitted, Verdict, number, same_job
from module_utils.batch.slurm import sacct, squeue, wrapper
from module_utils.batch.torque import qstat_xml
from tests.unit.batch_answers.samples import SQUEUE, TORQUE_FOLDED, TORQUE_LISTING, TORQUE_XML

PBS, TORQUE, WRAPPER, SLURM = (SCHEDULERS[kind] for kind in ("pbspro", "torque", "slurm_torque", "slurm"))


@pytest.mark.parametrize(
    ("system", "file", "number", "name", "short"),
    [
        (PBS, "openpbs-23.06-qstat.txt", "1001", "rcok", "1001[]"),
        (WRAPPER, "slurm-22.05-qstat.txt", "4", "rcfail", "4"),
    ],
)
def test_recorded_listing_is_read(recorded, system, file, number, name, short) -> None:
    listing = system.listed(Reply(0, recorded(file), ""))
    assert listing.find(number, name).short_id == short
    assert not listing.unreadable
    assert {seen.user for seen in listing.values()} == {"ray"}
    assert number in {seen.number for seen in listing.named(name, "ray")}
    assert listing.named(name, "eve") == [] and listing.find(number, "other") is None


def test_torque_ids_wider_than_their_column_are_read() -> None:
    listing = TORQUE.listed(Reply(0, TORQUE_LISTING, ""))
    assert listing.find("1234567.hornet-batch.hww.hlrs.de", "rceeeeeeeeeeeee").phase is Phase.WAITING
    assert listing.named("rcccccccccccccc", "averylongusername")[0].short_id == "12347[]"


def test_squeue_lists_one_users_jobs() -> None:
    listing = SLURM.listed(Reply(0, SQUEUE, ""))
    assert listing.find("71", "rcselftest").phase is Phase.RUNNING
    assert SLURM.listed(Reply(0, SQUEUE.split("\n")[0] + "\n", "")) == {}
    for broken in (Reply(1, SQUEUE, ""), Reply(0, "", ""), Reply(0, SQUEUE[:-1], "")):
        with pytest.raises(AnswerError):
            SLURM.listed(broken)


def test_unreadable_row_of_squeue_affects_no_other_job() -> None:
    """Names with a newline are recorded; one here forges a row of another job."""
    forged = "80|PD|0:00|workq|ray||Priority|evil\n71|CA|0:00|workq|ray||None|rcselftest\n"
    listing = SLURM.listed(Reply(0, SQUEUE.replace("74|F", "b|c\n74|F") + forged, ""))
    assert listing.find("73", "rc|done").phase is Phase.ENDED and "b|c" in listing.unreadable
    with pytest.raises(AnswerError, match="may be the job's"):
        listing.find("71", "rcselftest")
    with pytest.raises(AnswerError, match="may be the job's"):
        listing.named("rcselftest")


def test_user_unknown_to_slurm_is_no_empty_listing() -> None:
    recorded = "squeue: error: Invalid user: nosuchuser\n\n" + SQUEUE.split("\n")[0] + "\n"
    for reply in (Reply(0, recorded, ""), Reply(0, SQUEUE, "squeue: error: Invalid user: ray\n")):
        with pytest.raises(AnswerError, match="Invalid user"):
            SLURM.listed(reply)


@pytest.mark.parametrize(
    ("reason", "is_stuck"),
    [  # recorded/slurm-24.11.txt, `squeue -o '%i|%t|%j|%r'`
        *((reason, False) for reason in ("None", "Resources", "Priority", "AssocMaxJobsLimit", "PartitionDown")),
        *((reason, False) for reason in ("ReqNodeNotAvail, UnavailableNodes:login1", "BeginTime", "JobArrayTaskLimit")),
        *((reason, True) for reason in ("PartitionTimeLimit", "AssocMaxWallDurationPerJobLimit", "JobHeldAdmin")),
        *((reason, True) for reason in ("JobHeldUser", "PartitionConfig")),
        ("uid 2000 not in group permitted to use this partition (short). groups allowed: other", True),
        ("Job's QOS not permitted to use this partition (short allows nosuch not normal)", True),
    ],
)
def test_reasons_that_keep_a_job_from_starting_are_stuck(reason: str, is_stuck: bool) -> None:
    header, row = SQUEUE.split("\n")[0], f"71|PD|0:00|workq|ray||{reason}|rcselftest"
    seen = SLURM.listed(Reply(0, f"{header}\n{row}\n", "")).find("71", "rcselftest")
    assert (seen.reason, SLURM.is_stuck(seen)) == ("" if reason == "None" else reason, is_stuck)


def test_held_job_of_torque_is_stuck() -> None:
    listing = TORQUE.listed(Reply(0, TORQUE_LISTING.replace(" Q multi", " H multi"), ""))
    seen = listing.find("12346.sdb", "rcbbbbbbbbbbbbb")
    assert (seen.phase, seen.state, seen.reason) == (Phase.WAITING, "H", "held") and TORQUE.is_stuck(seen)
    assert not TORQUE.is_stuck(listing.find("12345.sdb", "rcaaaaaaaaaaaaa"))


def test_cut_listing_is_an_error() -> None:
    for end in range(1, len(TORQUE_LISTING)):
        text = TORQUE_LISTING[:end]
        if not text.endswith("\n") or text.count("\n") < 3:  # header and rule alone are no listing
            with pytest.raises(AnswerError):
                TORQUE.listed(Reply(0, text, ""))


def test_unreadable_line_affects_the_jobs_that_it_mentions() -> None:
    broken = TORQUE_LISTING.replace("rcbbbbbbbbbbbbb  ray ", "rcbbbb\nbbbbbbbbb  ray ")
    assert broken != TORQUE_LISTING
    listing = TORQUE.listed(Reply(0, broken, ""))
    for name in ("rcbbbbbbbbbbbbb", "rcother"):  # both belong to this user
        with pytest.raises(AnswerError, match=r"line of the listing .* 'bbbbbbbbb  ray"):
            listing.named(name, "ray")
    with pytest.raises(AnswerError):
        listing.find("12346.sdb", "rcbbbbbbbbbbbbb")
    assert listing.named("rcother", "eve") == [] and listing.find("999.sdb", "rcother") is None


JOB = ("12346.sdb", "rcbbbbbbbbbbbbb", "ray")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40), st.integers(0, len(TORQUE_LISTING)))
@example("qstat: warning\n", TORQUE_LISTING.index("12346") + 2)
@example(" ", TORQUE_LISTING.index("12346") + 2)
@example("9", TORQUE_LISTING.index("12346") + 2)
@example(".", TORQUE_LISTING.index("12346") + 2)
@example("\n", TORQUE_LISTING.index("rcbbb") + 5)
@example("x", TORQUE_LISTING.index("rcbbb") + 5)
@example(" C", TORQUE_LISTING.index(" Q multi"))
def test_garbage_in_a_listing_hides_no_job(garbage, at) -> None:
    text = TORQUE_LISTING[:at] + garbage + TORQUE_LISTING[at:]
    for ask in (lambda listing: [listing.find(*JOB[:2])], lambda listing: listing.named(*JOB[1:])):
        try:
            found = ask(TORQUE.listed(Reply(0, text, "")))
        except AnswerError:
            continue
        assert [(seen.number, seen.name, seen.phase) for seen in found if seen] == [("12346", JOB[1], Phase.WAITING)]


READERS = [folded, qstat_json, qstat_xml, sacct, squeue, wrapper]
STATUS = [
    (TORQUE, TORQUE_XML, "12345.sdb"),
    (PBS, TORQUE_FOLDED, "12345.sdb"),
    (SLURM, SQUEUE, "71"),
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(STATUS), st.text(max_size=40), st.floats(0, 1))
def test_garbage_in_a_full_status_hides_no_job_and_changes_no_id(sample, garbage, where) -> None:
    system, text, native_id = sample
    at = round(where * len(text))
    try:
        job = system.status(Reply(0, text[:at] + garbage + text[at:], ""), native_id)
    except AnswerError:
        return
    assert job is not None and same_job(job.native_id, native_id)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60), st.sampled_from(READERS), st.sampled_from(sorted(SCHEDULERS)))
def test_garbage_alone_is_no_status(text, read, kind) -> None:
    with contextlib.suppress(AnswerError):
        assert SCHEDULERS[kind].jobs(read, text) == []
    with pytest.raises(AnswerError):
        SCHEDULERS[kind].status(Reply(0, text, ""), "1")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60), st.text(max_size=20), st.sampled_from(sorted(SCHEDULERS)))
@example("motd\n", " bye", "torque")
@example("", ";rm", "torque")
def test_garbage_around_an_id_gives_that_id_or_doubt(before, after, kind) -> None:
    native_id = "12345" if "slurm" in kind else "12345.sdb"
    assume("".join(before.splitlines()[-1:])[-1:] not in tuple("0123456789"))
    answer = SCHEDULERS[kind].submitted(Reply(0, f"{before}{native_id}{after}\n", ""))
    if isinstance(answer, Submitted):
        # Text of the form of an id counts as one: a longer server, another last line.
        assert number(answer.native_id) == "12345" or after.strip()
    else:
        assert answer.verdict is Verdict.DOUBT


def test_submissions_by_sbatch_are_read() -> None:
    assert SLURM.submitted(Reply(0, "77;hornet\n", "")) == Submitted("77")
    assert SLURM.submitted(Reply(0, "77\n", "sbatch: warning\n")) == Submitted("77")
    refused = SLURM.submitted(Reply(1, "", "sbatch: error: QOSMaxSubmitJobPerUserLimit\n"))
    assert isinstance(refused, Refused) and refused.verdict is Verdict.LIMIT
    assert isinstance(TORQUE.submitted(Reply(0, "77.sdb;rm\n", "")), Refused)


def test_scancel_of_an_unknown_job_is_no_refusal() -> None:
    """Recorded: `scancel 99999` is silent and ends with 0; recorded/slurm-24.11.verdicts has the rest."""
    assert SLURM.deleted(Reply(0, "", "")) is None
    told = "scancel: error: Kill job error on job id 7: Job/step already completing or completed\n"
    assert SLURM.deleted(Reply(1, "", told)) is None  # not recorded: src/common/slurm_errno.c, ESLURM_ALREADY_DONE
