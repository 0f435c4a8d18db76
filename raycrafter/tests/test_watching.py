"""What operators see of Celery: the times of tasks and the length of queues in the log, events and pages of Flower."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from celery.exceptions import Ignore, Reject, Retry
from celery.worker.request import Request
from kombu import Connection
from kombu.transport import memory
from raycrafter.celery import app
from raycrafter.jobs.log_fields import OF_A_JOB
from raycrafter.jobs.models import Batch, Job, Notification, Transfer
from raycrafter.logs import GelfFormatter
from raycrafter.tasks import measure_queues

from raycrafter import task_times

pytestmark = pytest.mark.filterwarnings("ignore::celery.exceptions.AlwaysEagerIgnored")

NAME = "raycrafter.test.watched"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was written to the log so far, as it is shipped."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(GelfFormatter())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def broker() -> Iterator[Connection]:
    """A broker in memory with empty queues."""
    with Connection("memory://", transport_options={"polling_interval": 0}) as connection:
        for queue in app.conf.task_queues:
            bound = queue.bind(connection.default_channel)
            bound.declare()
            bound.purge()
        yield connection


# --- times ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(broker: Connection) -> Iterator[Callable[..., None]]:
    """``run(body)``: sends a task that does this, and runs it as a worker does with the message."""

    def send_and_run(body: Callable[[], None], **headers: Any) -> None:
        @app.task(name=NAME)
        def task() -> None:
            body()

        app.send_task(NAME, task_id="abc", connection=broker)
        message = app.amqp.queues["default"].bind(broker.default_channel).get(no_ack=True)
        message.headers.update(headers)
        Request(message, app=app).execute()

    yield send_and_run
    app.tasks.pop(NAME, None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent at 1000, started at 1003.25, ran for 2.5 seconds."""
    wall, monotonic = iter([1000.0, 1003.25]), iter([50.0, 52.5])
    fake = SimpleNamespace(time=lambda: next(wall), monotonic=lambda: next(monotonic))
    monkeypatch.setattr(task_times, "time", fake)


def ends(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["_logger"] == "raycrafter.task_times"]


def test_a_finished_task_is_one_line(clock: None, run: Any, lines: Any) -> None:
    run(lambda: None)
    (found,) = lines()
    found.pop("timestamp")
    assert found == {
        "level": 6,
        "short_message": f"{NAME}: SUCCESS",
        "_facility": "raycrafter",
        "_logger": "raycrafter.task_times",
        "_task": NAME,
        "_task_id": "abc",
        "_state": "SUCCESS",
        "_queue": "default",
        "_seconds": 2.5,
        "_wait_seconds": 3.25,
    }


@pytest.mark.parametrize(
    ("error", "state", "levels"),
    [
        (ValueError("no such thing"), "FAILURE", [3, 6]),
        (Retry("later"), "RETRY", [6]),
        (Reject("not mine"), "REJECTED", [4, 6]),
        (Ignore(), "IGNORED", [6]),
    ],
)
def test_line_has_the_state_and_a_failure_is_one_error(
    run: Any, lines: Any, error: Exception, state: str, levels: list[int]
) -> None:
    def body() -> None:
        raise error

    run(body)
    (end,) = ends(lines())
    assert (end["_state"], end["_task"], end["_queue"]) == (state, NAME, "default")
    assert [line["level"] for line in lines()] == levels
    if state == "FAILURE":
        assert "Traceback" in lines()[0]["full_message"]


def test_task_that_was_stopped_is_logged(run: Any, lines: Any) -> None:
    with pytest.raises(SystemExit):
        run(lambda: sys.exit(1))
    (end,) = ends(lines())
    assert end["_state"] == "INTERRUPTED"


@pytest.mark.parametrize(("sent", "expected"), [(4e9, 0.0), (None, None)])
def test_no_wait_is_made_up(run: Any, lines: Any, sent: float | None, expected: float | None) -> None:
    """The sender's clock is ahead; the sender did not say when."""
    run(lambda: None, sent=sent)
    (end,) = ends(lines())
    assert end.get("_wait_seconds") == expected


@pytest.fixture
def owned(job: Job, batch: Batch) -> dict[str, int]:
    """One row of each kind that tasks are called with; all of them are of one job."""
    told = Notification.objects.create(key="k", kind="k", channel="mail", job=job)
    transfer = Transfer.objects.create(job=job, kind=Transfer.Kind.IN)
    rows = {"batch_id": batch, "transfer_id": transfer, "workspace_id": job.workspace, "notification_id": told}
    return {name: row.pk for name, row in rows.items()}


@pytest.mark.parametrize("name", OF_A_JOB)
def test_every_line_of_a_task_has_the_ids_of_its_job(
    broker: Connection, lines: Any, owned: dict[str, int], job: Job, name: str, django_assert_num_queries: Any
) -> None:
    """Also the traceback's and the end's; one query is asked however many lines there are."""
    text = f"def body({name}):\n    for _ in range(9): logger.warning('problem')\n    raise ValueError('no')"
    exec(text, space := {"logger": logging.getLogger("raycrafter.test")})  # noqa: S102
    app.task(name=NAME)(space["body"])
    try:
        app.send_task(NAME, (owned[name],), connection=broker)
        message = app.amqp.queues["default"].bind(broker.default_channel).get(no_ack=True)
        with django_assert_num_queries(1):
            Request(message, app=app).execute()
    finally:
        app.tasks.pop(NAME)
    assert [line["level"] for line in lines()] == [4] * 9 + [3, 6]
    assert {(line["_task"], line["_job_id"], line[f"_{name}"]) for line in lines()} == {(NAME, job.pk, owned[name])}


def test_a_task_runs_though_its_job_cannot_be_looked_up(lines: Any) -> None:
    """Without the fixture for it, the database refuses every query."""
    done = []

    @app.task(name=NAME)
    def task(batch_id: int) -> None:
        logging.getLogger("raycrafter.test").warning("inside")
        done.append(batch_id)

    task.apply(args=(17,))
    app.tasks.pop(NAME)
    assert done == [17]
    assert (lines()[0]["_batch_id"], "_job_id" in lines()[0]) == (17, False)


# --- queues ---------------------------------------------------------------------------------------------------------


def test_every_queue_is_a_line(broker: Connection, lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    consumers = {"default": 2, "ssh": 0, "transfer": 1}
    declare = memory.Channel.queue_declare
    monkeypatch.setattr(  # nobody consumes in memory
        memory.Channel,
        "queue_declare",
        lambda channel, queue, **options: declare(channel, queue, **options)._replace(consumer_count=consumers[queue]),
    )
    for _ in range(3):
        app.send_task("raycrafter.tasks.poll_cluster", connection=broker)
    measure_queues()
    found = [(line["_queue"], line["_messages"], line["_consumers"], line["level"]) for line in lines()]
    assert found == [("default", 0, 2, 6), ("ssh", 3, 0, 4), ("transfer", 0, 1, 6)]
    assert lines()[1]["short_message"] == "queue ssh: 3 messages, 0 consumers"


def test_a_queue_that_is_not_there_stays_so(broker: Connection, lines: Any) -> None:
    broker.default_channel.queue_delete("default")
    for _ in range(2):
        measure_queues()
    found = [(line["_queue"], line["_consumers"], line["level"]) for line in lines()]
    assert found == [("default", 0, 4), ("ssh", 0, 4), ("transfer", 0, 4)] * 2
    assert "default" not in memory.Channel.queues


def test_a_broker_that_is_down_fails_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    real = app.connection_for_read
    monkeypatch.setattr(app, "connection_for_read", lambda **options: real("amqp://127.0.0.1:1//", **options))
    with pytest.raises(OSError):
        measure_queues()


# --- Flower ---------------------------------------------------------------------------------------------------------


def test_listeners_hear_of_sent_and_done_tasks(broker: Connection) -> None:
    queue = app.events.Receiver(broker).queue.bind(broker.default_channel)
    queue.declare()
    app.send_task("raycrafter.tasks.poll_cluster", task_id="abc", connection=broker)
    event = queue.get(no_ack=True).payload
    assert (event["type"], event["uuid"], event["queue"]) == ("task-sent", "abc", "ssh")
    assert app.conf.worker_send_task_events


def test_flower_starts_with_the_application(tmp_path: Path) -> None:
    address = tmp_path / "flower.sock"
    options = ["--url_prefix=flower", "--read_only=true", f"--unix_socket={address}"]
    environment = os.environ | {"RAYCRAFTER_DEV_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    flower = subprocess.Popen(
        [sys.executable, "-m", "celery", "--app", "raycrafter.celery:app", "flower", *options],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    too_late = threading.Timer(60, flower.kill)
    too_late.start()
    try:
        said = []
        for line in flower.stderr:
            said.append(line)
            if "Visit me" in line:
                break
        assert "Visit me" in said[-1], "".join(said)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(address)), base_url="http://flower") as http:
            assert http.get("/flower/workers").status_code == 200
            assert http.get("/workers").status_code == 404
            assert http.post(f"/flower/api/task/async-apply/{measure_queues.name}").status_code == 401
    finally:
        too_late.cancel()
        flower.kill()
        flower.communicate()
