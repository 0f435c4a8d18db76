"""The service around the API: health, OpenAPI, users, logs, Celery, migrations."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from kombu import Connection
from raycrafter.api import health
from raycrafter.celery import app
from raycrafter.config import Broker
from raycrafter.logs import GelfFormatter

# --- health ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask anew each time."""
    monkeypatch.setattr(health, "REMEMBERED_SECONDS", -1.0)


def test_healthy(db: None, forgetful: None) -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok", "cache": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_cache_that_is_down(db: None, forgetful: None, settings: Any) -> None:
    backend = "django.core.cache.backends.memcached.PyMemcacheCache"
    options = {"ignore_exc": True, "connect_timeout": 1}
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "127.0.0.1:1", "OPTIONS": options}}
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "broker": "ok", "cache": "down"})


def test_broker_that_is_down(db: None, forgetful: None, monkeypatch: pytest.MonkeyPatch) -> None:
    real = app.connection_for_write
    monkeypatch.setattr(app, "connection_for_write", lambda **options: real("amqp://127.0.0.1:1//", **options))
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "broker": "down", "cache": "ok"})


def test_database_that_is_down(forgetful: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # without the mark pytest-django lets nobody reach the database, which is as good as down
    answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "down"


def test_strangers_do_not_make_work(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(health, "_found", (float("-inf"), {}))
    monkeypatch.setitem(health.CHECKS, "broker", lambda: asked.append(1))
    for _ in range(5):
        Client().get("/healthz")
    assert len(asked) == 1


# --- OpenAPI --------------------------------------------------------------------------------------------------------


def test_schema_generates_without_warnings(db: None) -> None:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    schema = json.loads(out.getvalue())
    served = json.loads(Client().get("/api/v1/schema/?format=json").content)
    assert served["paths"].keys() == schema["paths"].keys()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path} says nothing"
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            expected = [{"batchToken": []}] if "/client/" in path else [{"userToken": []}, {"cookieAuth": []}]
            if "/auth/" not in path:
                assert operation["security"] == expected


def test_migrations_are_complete(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


# --- the broker's certificate ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaf", "ca", "error"),
    [
        ("host", "ca", None),
        ("elsewhere", "ca", "IP address mismatch"),
        ("host", "stranger", "certificate verify failed"),
    ],
)
def test_broker_must_prove_its_name(pki: Path, leaf: str, ca: str, error: str | None) -> None:
    """A listener that ends the connection after the handshake: what is told apart is whether there was one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / f"{leaf}.crt", pki / f"{leaf}.key")
    greeted, over = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        while not over.is_set():
            # kombu tries twice; what it refuses is an error here as well
            with (
                contextlib.suppress(OSError),
                listener.accept()[0] as plain,
                context.wrap_socket(plain, server_side=True) as wrapped,
            ):
                if wrapped.recv(4) == b"AMQP":
                    greeted.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        address = f"amqps://user:secret@127.0.0.1:{listener.getsockname()[1]}/vhost"
        broker = Broker(url=address, ca_file=str(pki / f"{ca}.crt"))
        with pytest.raises(OSError) as caught, Connection(broker.url, ssl=broker.tls, connect_timeout=5) as connection:
            connection.connect()
        over.set()
        thread.join()
    assert greeted.is_set() == (error is None)
    assert error is None or error in str(caught.value)


# --- users ----------------------------------------------------------------------------------------------------------


def ensure(monkeypatch: pytest.MonkeyPatch, password: str, *arguments: str) -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    call_command("ensure_user", *arguments, stdout=out)
    return out.getvalue()


def test_ensure_user(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "correct horse battery", "staple battery horse"
    assert ensure(monkeypatch, first, "ann", "--email", "a@example.org", "--staff") == "created\n"
    assert ensure(monkeypatch, first, "ann", "--email", "a@example.org", "--staff") == "unchanged\n"
    user = get_user_model().objects.get(username="ann")
    assert (user.email, user.is_staff, user.is_superuser, user.is_active) == ("a@example.org", True, False, True)
    assert ensure(monkeypatch, second, "ann", "--staff") == "changed\n"
    assert ensure(monkeypatch, second, "ann", "--superuser") == "changed\n"
    assert ensure(monkeypatch, second, "ann") == "changed\n"
    user.refresh_from_db()
    assert user.check_password(second)
    assert (user.email, user.is_staff, user.is_superuser) == ("a@example.org", False, False)
    assert Client().login(username="ann", password=second)


@pytest.mark.parametrize(
    ("password", "arguments", "words"),
    [
        ("short", ["bob"], "too short"),
        ("", ["bob"], "too short"),
        ("passwordpassword", ["bob\n"], "user bob"),
        ("correct horse battery", ["bob", "--email", "nonsense"], "email"),
    ],
)
def test_ensure_user_refuses(
    db: None, monkeypatch: pytest.MonkeyPatch, password: str, arguments: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        ensure(monkeypatch, password, *arguments)
    assert not get_user_model().objects.exists()


# --- logs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def logged() -> Any:
    """A logger, and the text it has written in the service's format."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(GelfFormatter())
    logger = logging.getLogger("raycrafter.test")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_a_message_is_one_gelf_object_on_one_line(logged: Any) -> None:
    logger, stream = logged
    logger.warning("frame %d:\nfailed", 3, extra={"job_id": 1, "batch_id": 2})
    assert stream.getvalue().count("\n") == 1
    found = json.loads(stream.getvalue())
    assert abs(found.pop("timestamp") - logging.LogRecord("", 0, "", 0, "", (), None).created) < 60
    assert found == {
        "level": 4,
        "short_message": "frame 3:\nfailed",
        "_facility": "raycrafter",
        "_logger": "raycrafter.test",
        "_job_id": 1,
        "_batch_id": 2,
    }


def test_traceback_is_in_the_full_message(logged: Any) -> None:
    logger, stream = logged
    try:
        raise ValueError("no such thing")
    except ValueError:
        logger.exception("it broke")
    found = json.loads(stream.getvalue())
    assert (found["level"], found["short_message"]) == (3, "it broke")
    assert "Traceback" in found["full_message"]
    assert "no such thing" in found["full_message"]


def test_messages_of_a_task_name_it(logged: Any) -> None:
    logger, stream = logged

    @app.task(name="raycrafter.test.task")
    def task(batch_id: int, seconds: float) -> None:
        logger.info("inside", extra={"job_id": 5})

    task.apply(args=(17, 0.5), task_id="abc")
    app.tasks.pop("raycrafter.test.task")
    found = json.loads(stream.getvalue())
    assert (found["_task"], found["_task_id"], found["_job_id"]) == ("raycrafter.test.task", "abc", 5)
    assert found["_batch_id"] == 17
    assert "_seconds" not in found


# --- Celery ---------------------------------------------------------------------------------------------------------


def test_tasks_of_beat_and_routes_exist() -> None:
    app.loader.import_default_modules()
    queues = {queue.name for queue in app.conf.task_queues}
    assert queues == {"default", "ssh", "transfer"}
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks, entry["task"]
        assert entry["options"]["queue"] in queues
    for name, route in app.conf.task_routes.items():
        assert name in app.tasks, name
        assert route["queue"] in queues


def test_every_task_has_its_queue() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if name.startswith("raycrafter.tasks.")}
    on_default = ours - set(app.conf.task_routes)
    names = ("plan", "check_timeouts", "measure_queues", "notify_holds", "send_notifications", "send_notification")
    assert on_default == {f"raycrafter.tasks.{name}" for name in (*names, "check_proxy", "apply_retention")}
    assert app.amqp.router.route({}, "raycrafter.tasks.submit_batch")["queue"].name == "ssh"


@pytest.mark.filterwarnings("ignore::celery.exceptions.AlwaysEagerIgnored")
def test_a_message_reaches_one_queue() -> None:
    """Sent through a broker in memory, which routes as RabbitMQ does: each task is in its queue and in no other."""
    with Connection("memory://", transport_options={"polling_interval": 0}) as broker:
        queues = [queue.bind(broker.default_channel) for queue in app.amqp.queues.values()]
        for queue in queues:
            queue.declare()
            queue.purge()
        for task in ("plan", "submit_batch", "pull_output"):
            app.send_task(f"raycrafter.tasks.{task}", (1,), connection=broker)
        found = {}
        for queue in queues:
            found[queue.name] = []
            while message := queue.get(no_ack=True):
                found[queue.name].append(message.headers["task"].rsplit(".", 1)[-1])
    assert found == {"default": ["plan"], "ssh": ["submit_batch"], "transfer": ["pull_output"]}


def test_messages_are_acknowledged_when_the_work_is_done() -> None:
    conf = app.conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert (list(conf.accept_content), conf.task_serializer, conf.result_backend) == (["json"], "json", None)
