"""The compute-node clients' API: claims, fencing, results, and that everything may be repeated."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from raycrafter.jobs import compute_client, requests
from raycrafter.jobs.errors import RefusedError
from raycrafter.jobs.models import Attempt, Batch, Event, Frame, Job, Workspace
from raycrafter.jobs.outcomes import MAX_INTERRUPTIONS
from raycrafter.jobs.states import BatchState, JobState
from raycrafter.jobs.transitions import transition
from raycrafter.logs import GelfFormatter
from rest_framework.test import APIClient


def state(batch: Batch, number: int) -> str:
    """Return a frame's state as it is in the database."""
    return Frame.objects.values_list("state", flat=True).get(job=batch.job_id, number=number)


def claimed(node: Any) -> dict[str, Any]:
    """Claim; return the one frame."""
    answer = node.claim()
    assert answer.status_code == 200, answer.content
    (frame,) = answer.json()["frames"]
    return frame


def finals(frame: dict[str, Any]) -> list[str]:
    return [item["final"] for item in frame["files"]]


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Batch", "Batch wrong", "Batch a b", "Token wrong", "Batch \xff"])
def test_wrong_tokens(batch: Batch, header: str) -> None:
    batch.issue_token()
    answer = APIClient().post(
        "/api/v1/client/claim", {"native_id": "x", "host": "y"}, headers={"Authorization": header} if header else {}
    )
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Batch"
    assert answer["Content-Type"] == "application/problem+json"


def test_a_users_token_is_none_here_and_a_batchs_is_none_there(node: Any, owner: Any) -> None:
    user = APIClient()
    user.force_login(owner)
    assert user.post("/api/v1/client/claim", {"native_id": "x", "host": "y"}).status_code == 401
    assert node.http.get("/api/v1/jobs").status_code == 401


def test_token_is_stored_hashed_and_a_new_one_voids_it(new_node: Any, batch: Batch) -> None:
    old = batch.issue_token()
    assert old not in str(Batch.objects.values().get())
    new = batch.issue_token()
    assert new_node(old).claim().status_code == 401
    assert new_node(new).claim().status_code == 200


def test_token_ends_an_hour_after_the_walltime(batch: Batch, node: Any) -> None:
    before = timezone.now()
    claimed(node)
    batch.refresh_from_db()
    assert timedelta(0) <= batch.token_expires - before - timedelta(hours=2) < timedelta(minutes=1)
    Batch.objects.update(token_expires=timezone.now() - timedelta(seconds=1))
    assert node.claim().status_code == 401


# --- logs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was written to the log so far, as it is shipped."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(GelfFormatter())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def test_lines_of_a_clients_calls_have_the_ids_that_the_client_logs(
    new_node: Any, batch: Batch, node: Any, lines: Any
) -> None:
    frame = claimed(node)
    changed = [line for line in lines() if "to CLAIMED" in line["short_message"]][-1]
    assert (changed["_job_id"], changed["_batch_id"], changed["_frame"]) == (batch.job_id, batch.pk, frame["number"])
    assert (changed["_object"], changed["_state"]) == ("frame", "CLAIMED")
    assert node.result(2).status_code == 404
    refused = [line for line in lines() if line["_logger"] == "django.request"][-1]
    assert (refused["_job_id"], refused["_batch_id"], refused["_frame"]) == (batch.job_id, batch.pk, 2)
    assert refused["_native_id"] == "7.login1"


# --- claiming -------------------------------------------------------------------------------------------------------


def test_claim(batch: Batch, node: Any) -> None:
    before = timezone.now().timestamp()
    answer = node.claim().json()
    assert (answer["job"], answer["batch"], answer["renderer"]) == (batch.job_id, batch.pk, "povray")
    # the walltime less the margin, from the claim on
    assert 3600 - 60 - 1 <= answer["stop_at"] - before <= 3600
    (frame,) = answer["frames"]
    assert (frame["number"], frame["attempt"], frame["resume"]) == (1, 1, False)
    assert frame["command"][0] == "/usr/bin/povray"
    assert all(isinstance(word, str) for word in frame["command"])
    assert frame["directory"] == "/lustre/ws/render-rc-job-1/input"
    assert all(path.startswith("/lustre/ws/render-rc-job-1/") for item in frame["files"] for path in item.values())
    batch.refresh_from_db()
    assert (batch.state, batch.native_client_id, batch.client_host) == ("RUNNING", "7.login1", "nid00001")
    assert Job.objects.get().state == "ACTIVE"
    assert state(batch, 1) == "CLAIMED"
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.batch_id, attempt.ended, attempt.host) == (1, batch.pk, None, "nid00001")


def test_frames_are_claimed_once_each_until_none_is_left(batch: Batch, node: Any) -> None:
    numbers = []
    for _ in range(3):
        frame = claimed(node)
        numbers.append(frame["number"])
        node.heartbeat(frame["number"], 1)
    assert numbers == [1, 2, 3]
    answer = node.claim()
    assert (answer.status_code, answer.content) == (204, b"")


def test_frames_of_other_batches_are_not_given(batch: Batch, node: Any) -> None:
    batch.frames.exclude(number=3).update(batch=None)
    assert claimed(node)["number"] == 3


def test_lost_answer_to_a_claim_is_given_again(new_node: Any, batch: Batch, node: Any) -> None:
    assert claimed(node) == claimed(node)
    assert Attempt.objects.count() == 1
    other = new_node(batch.issue_token(), host="nid00002")
    assert claimed(other)["number"] == 2


def test_of_two_claimants_one_gets_the_frame(batch: Batch, node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another client of the same batch claims between this one's look and its compare-and-set."""
    from raycrafter.jobs import compute_client

    real, taken = compute_client._claim_frame, []

    def late(batch: Batch, frame: Frame, host: str) -> Any:
        if not taken:
            taken.append(real(Batch.objects.get(pk=batch.pk), Frame.objects.get(pk=frame.pk), "nid00002"))
        return real(batch, frame, host)

    monkeypatch.setattr(compute_client, "_claim_frame", late)
    assert claimed(node)["number"] == 2
    assert taken[0].number == 1
    assert sorted(Attempt.objects.values_list("frame__number", "host")) == [(1, "nid00002"), (2, "nid00001")]


@pytest.mark.parametrize("early", ["CREATED", "SUBMITTING", "SUBMIT_UNKNOWN"])
def test_client_may_be_faster_than_the_answer_of_qsub(batch: Batch, node: Any, early: str) -> None:
    Batch.objects.update(state=early, native_id=None)
    claimed(node)
    batch.refresh_from_db()
    assert batch.state == "RUNNING"


@pytest.mark.parametrize(("expires_in", "stops_in"), [(None, 3540), (7200, 3540), (1800, 1740)])
def test_a_client_stops_before_its_batch_ends_and_before_its_workspace_is_gone(
    batch: Batch, node: Any, expires_in: int | None, stops_in: int
) -> None:
    now = timezone.now()
    Workspace.objects.update(expires=now + timedelta(seconds=expires_in) if expires_in else None)
    assert node.claim().json()["stop_at"] == pytest.approx(now.timestamp() + stops_in, abs=30)


@pytest.mark.parametrize("over", ["walltime", "workspace"])
def test_no_frame_is_given_when_there_is_no_time_for_it(batch: Batch, node: Any, over: str) -> None:
    claimed(node)
    if over == "walltime":
        Batch.objects.update(started=timezone.now() - timedelta(seconds=3550))
    else:
        Workspace.objects.update(expires=timezone.now() + timedelta(seconds=50))
    assert node.claim().status_code == 204
    node.post("finish", reason="walltime")
    assert (state(batch, 1), state(batch, 2)) == ("WAITING", "WAITING")


# --- fencing --------------------------------------------------------------------------------------------------------


def test_second_native_id_is_fenced_off_everywhere(new_node: Any, batch: Batch, node: Any) -> None:
    frame = claimed(node)
    twin = new_node(batch.issue_token(), native_id="8.login1")
    answers = [
        twin.claim(),
        twin.heartbeat(1, 10),
        twin.post("events", events=[{"seq": 1, "time": 0}]),
        twin.result(1, files=finals(frame)),
        twin.post("finish", reason="x"),
    ]
    assert [answer.status_code for answer in answers] == [409] * 5
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}
    batch.refresh_from_db()
    assert (batch.state, batch.native_client_id) == ("RUNNING", "7.login1")
    assert state(batch, 1) == "CLAIMED"
    assert Event.objects.filter(kind="fenced").count() == 1
    assert not Event.objects.exclude(seq=None).exists()


def test_of_two_first_claims_one_owns(batch: Batch) -> None:
    """Both loaded the batch while it had no owner."""
    from raycrafter.jobs import compute_client

    one, two = Batch.objects.get(pk=batch.pk), Batch.objects.get(pk=batch.pk)
    assert compute_client.claim(one, "7.login1", "a")
    with pytest.raises(RefusedError) as caught:
        compute_client.claim(two, "8.login1", "b")
    assert caught.value.status == 409
    assert Attempt.objects.count() == 1


def test_report_without_a_claim_is_refused(batch: Batch, node: Any) -> None:
    assert node.heartbeat(1, 10).status_code == 409
    assert node.post("finish", reason="").status_code == 409


@pytest.mark.parametrize("over", ["ENDING", "FINISHED", "LOST", "CANCELLING", "CANCELLED"])
def test_claim_of_a_batch_that_is_over(batch: Batch, node: Any, over: str) -> None:
    Batch.objects.update(state=over)
    assert node.claim().status_code == 410
    assert not Attempt.objects.exists()


def test_claim_of_a_cancelled_job(batch: Batch, node: Any, api: APIClient) -> None:
    api.post(f"/api/v1/jobs/{batch.job_id}/cancel")
    answer = node.claim()
    assert answer.status_code == 410
    assert "CANCELLING" in answer.json()["detail"]


def test_claim_of_a_batch_that_is_cancelled_at_this_moment(
    batch: Batch, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_owner = compute_client._become_owner

    def cancelled_before(*arguments: Any) -> None:
        requests.cancel(Job.objects.get(pk=batch.job_id), "alice")
        become_owner(*arguments)

    monkeypatch.setattr(compute_client, "_become_owner", cancelled_before)
    assert node.claim().status_code == 410


# --- heartbeats -----------------------------------------------------------------------------------------------------


def test_heartbeat(batch: Batch, node: Any) -> None:
    claimed(node)
    Batch.objects.update(last_heartbeat=None)
    assert node.heartbeat(1, 40).json() == {"action": "continue"}
    batch.refresh_from_db()
    assert batch.last_heartbeat is not None
    frame = batch.frames.get(number=1)
    assert (frame.state, frame.percent) == ("RUNNING", 40)
    node.heartbeat(1, 20)
    frame.refresh_from_db()
    assert frame.percent == 40
    assert node.post("heartbeat", frames=[]).json() == {"action": "continue"}


def test_heartbeat_tells_to_stop(batch: Batch, node: Any, api: APIClient) -> None:
    claimed(node)
    api.post(f"/api/v1/jobs/{batch.job_id}/cancel")
    assert node.heartbeat(1, 50).json() == {"action": "stop"}
    assert node.post("heartbeat", frames=[]).json() == {"action": "stop"}
    assert state(batch, 1) == "CANCELLED"


def test_heartbeat_of_a_lost_attempt_answers_stop(batch: Batch, node: Any) -> None:
    from raycrafter.jobs import outcomes

    claimed(node)
    outcomes.release(batch, "lost", "no heartbeat")
    assert node.heartbeat(1, 50).json() == {"action": "stop"}
    assert state(batch, 1) == "WAITING"


def test_the_log_of_a_frame(batch: Batch, node: Any, api: APIClient, stranger: Any) -> None:
    address = f"/api/v1/jobs/{batch.job_id}/frames/1/log"
    assert api.get(address).status_code == 404
    claimed(node)
    node.heartbeat(1, 10)
    assert api.get(address).json()["log"] == ""
    node.heartbeat(1, 40, log="one\x00\ntwo")
    answer = api.get(address).json()
    assert (answer["log"], answer["attempt"], answer["host"], answer["ended"]) == ("one\ufffd\ntwo", 1, node.host, None)
    node.result(1, outcome="failed", returncode=1, error="no", log="three\n" + "x" * 5000 + "the end")
    answer = api.get(address).json()
    assert (len(answer["log"]), answer["log"][-7:], answer["outcome"]) == (4000, "the end", "failed")
    node.heartbeat(1, 50, log="an old one")  # the result has overtaken it
    assert api.get(f"{address}?attempt=1").json() == answer
    assert api.get(f"{address}?attempt=2").status_code == 404
    assert {api.get(f"{address}?attempt={wrong}").status_code for wrong in ("x", "", "9" * 30, "-1", "²")} == {400}
    other = APIClient()
    other.force_authenticate(stranger)
    assert other.get(address).status_code == 404


def test_heartbeat_that_its_result_overtook_changes_nothing(batch: Batch, node: Any) -> None:
    frame = claimed(node)
    node.result(1, files=finals(frame))
    assert node.heartbeat(1, 99).json() == {"action": "continue"}
    assert batch.frames.get(number=1).percent == 100


@pytest.mark.parametrize(
    "item",
    [
        {"number": 1, "attempt": 1, "percent": 101},
        {"number": 1, "attempt": 1},
        {"number": "one", "attempt": 1, "percent": 1},
        {"number": -1, "attempt": 1, "percent": 1},
    ],
)
def test_malformed_heartbeats(node: Any, item: dict[str, Any]) -> None:
    claimed(node)
    answer = node.post("heartbeat", frames=[item])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("frames[0].")


def test_heartbeat_of_an_unknown_attempt(node: Any) -> None:
    claimed(node)
    assert node.heartbeat(1, 5, attempt=2).status_code == 404
    assert node.heartbeat(77, 5).status_code == 404


# --- results --------------------------------------------------------------------------------------------------------


def test_rendered(batch: Batch, node: Any) -> None:
    frame = claimed(node)
    answer = node.result(1, files=[*finals(frame), "/etc/passwd"])
    assert (answer.status_code, answer.json()) == (200, {"state": "RENDERED"})
    row = batch.frames.get(number=1)
    assert (row.percent, row.seconds, row.tries) == (100, 2.5, 0)
    assert [item["path"] for item in row.outputs] == finals(frame)
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.returncode, attempt.peak_rss_kb) == ("rendered", 0, 4096)
    assert attempt.ended is not None


def test_repeated_result_changes_nothing(batch: Batch, node: Any) -> None:
    frame = claimed(node)
    node.result(1, files=finals(frame))
    events, ended = Event.objects.count(), Attempt.objects.get().ended
    again = node.result(1, files=finals(frame))
    assert (again.status_code, again.json()) == (200, {"state": "RENDERED"})
    assert (Event.objects.count(), Attempt.objects.get().ended) == (events, ended)


def test_repeated_failure_counts_once(batch: Batch, node: Any) -> None:
    claimed(node)
    for _ in range(3):
        assert node.result(1, outcome="failed", returncode=1, error="boom").status_code == 200
    assert batch.job.frames.get(number=1).tries == 1


def test_contradicting_result_is_refused(batch: Batch, node: Any) -> None:
    frame = claimed(node)
    node.result(1, outcome="failed", returncode=1)
    assert node.result(1, files=finals(frame)).status_code == 409
    assert state(batch, 1) == "WAITING"
    assert batch.job.frames.get(number=1).outputs == []


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"returncode": 1}, "ended with 1"),
        ({"returncode": None}, "ended with None"),
        ({"files": []}, "left no /lustre"),
        ({"files": [{"path": "/lustre/other.png", "size": 5, "sha256": "0" * 64}]}, "left no /lustre"),
    ],
)
def test_success_needs_exit_0_and_every_file(batch: Batch, node: Any, report: dict[str, Any], words: str) -> None:
    frame = claimed(node)
    answer = node.post(
        "frames/1/result",
        **{
            "attempt": 1,
            "outcome": "rendered",
            "returncode": 0,
            "files": [{"path": path, "size": 5, "sha256": "0" * 64} for path in finals(frame)],
        }
        | report,
    )
    assert answer.json() == {"state": "WAITING"}
    assert Attempt.objects.get().outcome == "failed"
    row = batch.job.frames.get(number=1)
    assert words in row.error
    assert (row.tries, row.batch) == (1, None)


def test_empty_file_is_no_file(batch: Batch, node: Any) -> None:
    frame = claimed(node)
    files = [{"path": path, "size": 0, "sha256": "0" * 64} for path in finals(frame)]
    answer = node.post("frames/1/result", attempt=1, outcome="rendered", returncode=0, files=files)
    assert answer.json() == {"state": "WAITING"}


def again(batch: Batch, number: int) -> None:
    """Give a frame that waits to the batch again, as the planner would to another."""
    batch.job.frames.filter(number=number, state="WAITING").update(batch=batch)


def test_third_failure_is_final(batch: Batch, node: Any) -> None:
    batch.frames.exclude(number=1).update(batch=None)
    for attempt in (1, 2, 3):
        assert claimed(node)["attempt"] == attempt
        node.result(1, attempt=attempt, outcome="failed", returncode=1, error="out of memory")
        again(batch, 1)
    frame = batch.job.frames.get(number=1)
    assert (frame.state, frame.tries, frame.error) == ("FAILED", 3, "out of memory")
    assert node.claim().status_code == 204


def test_scene_that_does_not_parse_is_not_tried_again(batch: Batch, node: Any) -> None:
    claimed(node)
    error = "Fatal error in parser: Cannot parse input."
    assert node.result(1, outcome="failed", returncode=1, error=error).json() == {"state": "FAILED"}
    assert batch.job.frames.get(number=1).tries == 1


def test_interruption_costs_no_try_and_is_resumed(batch: Batch, node: Any) -> None:
    batch.frames.exclude(number=1).update(batch=None)
    first = claimed(node)
    node.heartbeat(1, 70)
    assert node.result(1, outcome="interrupted", returncode=2, error="walltime").json() == {"state": "WAITING"}
    again(batch, 1)
    second = claimed(node)
    assert (second["attempt"], second["resume"]) == (2, True)
    assert second["files"] == first["files"]
    frame = batch.job.frames.get(number=1)
    assert (frame.tries, frame.percent) == (0, 70)


def test_endless_interruption_ends(batch: Batch, node: Any) -> None:
    batch.frames.exclude(number=1).update(batch=None)
    for attempt in range(1, MAX_INTERRUPTIONS + 2):
        again(batch, 1)
        assert claimed(node)["attempt"] == attempt
        node.result(1, attempt=attempt, outcome="interrupted", returncode=2)
    frame = batch.job.frames.get(number=1)
    assert frame.tries == 1
    assert "walltime" in frame.error


def test_result_after_a_cancel_is_taken_and_changes_nothing(batch: Batch, node: Any, api: APIClient) -> None:
    frame = claimed(node)
    api.post(f"/api/v1/jobs/{batch.job_id}/cancel")
    assert node.result(1, outcome="interrupted", returncode=2).json() == {"state": "CANCELLED"}
    assert node.result(1, files=finals(frame)).json() == {"state": "CANCELLED"}
    assert Attempt.objects.get().outcome == "cancelled"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcome": "splendid"}, "outcome"),
        ({"attempt": 0}, "attempt"),
        ({"files": [{"path": "x", "size": -1, "sha256": "0" * 64}]}, "files[0].size"),
        ({"files": [{"path": "x", "size": 1, "sha256": "zz"}]}, "files[0].sha256"),
        ({"native_id": ""}, "native_id"),
    ],
)
def test_malformed_results(node: Any, change: dict[str, Any], field: str) -> None:
    claimed(node)
    body = {"attempt": 1, "outcome": "failed", "returncode": 1, "files": []} | change
    answer = node.post("frames/1/result", **body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


# --- events ---------------------------------------------------------------------------------------------------------


def event(seq: int, **fields: Any) -> dict[str, Any]:
    return {"seq": seq, "time": "2026-01-02T03:04:05+00:00", "level": 20, "kind": "log", "message": f"m{seq}"} | fields


def test_events_are_stored_once(batch: Batch, node: Any) -> None:
    claimed(node)
    assert node.post("events", events=[event(1, frame=1, attempt=1), event(2)]).json() == {"last_seq": 2}
    assert node.post("events", events=[event(1), event(2), event(3)]).json() == {"last_seq": 3}
    rows = Event.objects.exclude(seq=None).order_by("seq")
    assert [row.message for row in rows] == ["m1", "m2", "m3"]
    assert (rows[0].frame.number, rows[0].data, rows[0].job_id) == (1, {"attempt": 1}, batch.job_id)
    assert rows[0].time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert node.post("events", events=[]).json() == {"last_seq": 3}


def test_events_of_two_batches_do_not_meet(new_node: Any, batch: Batch, node: Any) -> None:
    other = Batch.objects.create(
        job=batch.job, site="test", state="QUEUED", native_id="9.login1", walltime_seconds=60, directory="/x"
    )
    twin = new_node(other.issue_token(), native_id="9.login1")
    for one in (node, twin):
        one.claim()
        assert one.post("events", events=[event(1)]).json() == {"last_seq": 1}
    assert Event.objects.filter(seq=1).count() == 2


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"message": "x" * 100_000}, {"message": "x" * 8000}),
        ({"message": "a\x00b\ud800"}, {"message": "a\ufffdb?"}),
        ({"message": None, "data": None, "level": None, "kind": None}, {"message": "", "data": {}, "level": 20}),
        ({"kind": "k" * 99}, {"kind": "k" * 50}),
        ({"data": {"a": "\x00", "b": ["\x00", {"\x00": "\\u0000"}]}}, {
            "data": {"a": "\ufffd", "b": ["\ufffd", {"\ufffd": "\\u0000"}]}
        }),
        ({"data": {"big": "x" * 20_000}}, {"data": {"left_out": "20011 characters"}}),
        ({"data": [1]}, {"data": {"value": [1]}}),
        ({"level": "warning"}, {"level": 30}),
        ({"level": 35}, {"level": 30}),
        ({"level": 50}, {"level": 40}),
        ({"level": 0}, {"level": 10}),
        ({"level": "strange"}, {"level": 20}),
        ({"frame": 999}, {"frame": None}),
        ({"time": 1767323045.0}, {}),
    ],
)  # fmt: skip
def test_odd_events_are_taken_as_well_as_can_be(node: Any, fields: dict[str, Any], stored: dict[str, Any]) -> None:
    claimed(node)
    answer = node.post("events", events=[event(1, **fields)])
    assert answer.status_code == 200, answer.content
    row = Event.objects.get(seq=1)
    assert {name: getattr(row, name) for name in stored} == stored
    assert row.time.isoformat() == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize("time", ["yesterday", 1e300, "2026-99-99T00:00:00Z", []])
def test_events_without_a_time_are_of_now(node: Any, time: Any) -> None:
    claimed(node)
    node.post("events", events=[event(1, time=time)])
    assert abs(Event.objects.get(seq=1).time - timezone.now()) < timedelta(minutes=1)


def test_events_need_a_number(node: Any) -> None:
    claimed(node)
    answer = node.post("events", events=[event(1), event(0)])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "events[1].seq"


# --- the end --------------------------------------------------------------------------------------------------------


def test_finish_gives_back_what_is_not_done(batch: Batch, node: Any) -> None:
    frame = claimed(node)
    node.result(1, files=finals(frame))
    claimed(node)
    node.heartbeat(2, 30)
    for _ in range(2):
        assert node.post("finish", reason="walltime").status_code == 200
    batch.refresh_from_db()
    assert (batch.state, batch.finish_reason) == ("ENDING", "walltime")
    rows = {row.number: (row.state, row.batch_id) for row in batch.job.frames.all()}
    assert rows == {1: ("RENDERED", batch.pk), 2: ("WAITING", None), 3: ("WAITING", None)}
    assert Attempt.objects.get(frame__number=2).outcome == "interrupted"
    assert node.claim().status_code == 410


def test_last_events_after_the_end_are_taken(batch: Batch, node: Any) -> None:
    claimed(node)
    node.post("finish", reason="done")
    batch.refresh_from_db()
    transition(batch, BatchState.FINISHED)
    assert node.post("events", events=[event(1)]).status_code == 200


def test_job_that_failed_has_nothing_to_claim(batch: Batch, node: Any) -> None:
    transition(batch.job, JobState.FAILED)
    assert node.claim().status_code == 410
