"""Flower shows workers and tasks, also after a restart, and only displays."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import pytest
from scenario import APPLICATION, wait_for

testinfra_hosts = ["ansible://role_hosts"]

WORKER = "default@master"


def ask(host, path: str, data: str = "None") -> tuple[int, str]:
    """Return status (0 without an answer) and body of a page. POST if `data` is set."""
    code = f"""
import urllib.error, urllib.request
try:
    answer = urllib.request.urlopen('http://127.0.0.1:5555/flower/{path}', {data}, 10)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    raise SystemExit('0')
print(answer.status)
print(answer.read().decode(), end='')
"""
    status, _, body = host.run(f'python3 -c "{code}"').stdout.partition("\n")
    return int(status or 0), body


def succeeded(host, task: str) -> bool:
    """Return whether Flower shows the task with this id as successful."""
    status, page = ask(host, f"task/{task}")
    return status == 200 and "SUCCESS" in page


@pytest.fixture
def task(host) -> str:
    """Return the id of a task that finished while Flower ran."""
    identifier = str(uuid.uuid4())
    send = f"app.send_task('raycrafter.tasks.plan', task_id='{identifier}')"
    host.check_output(f'{APPLICATION} -c "from raycrafter.celery import app; {send}"')
    wait_for("Flower shows the task", lambda: succeeded(host, identifier))
    return identifier


def test_flower_is_healthy_and_shows_the_worker(host):
    assert ask(host, "healthcheck") == (200, "OK")

    def workers() -> dict[str, bool]:
        return {one["hostname"]: one["status"] for one in json.loads(ask(host, "workers?json=1")[1])["data"]}

    wait_for("Flower shows the worker", lambda: workers() == {WORKER: True})


def test_tasks_survive_a_restart(host, task):
    with host.sudo():
        host.check_output("supervisorctl restart raycrafter-flower")
    wait_for("Flower still shows the task", lambda: succeeded(host, task))


def test_flower_refuses_operations_on_the_worker(host):
    for operation in (
        f"worker/shutdown/{WORKER}",
        f"worker/pool/grow/{WORKER}",
        "task/async-apply/raycrafter.tasks.check_timeouts",
    ):
        assert ask(host, f"api/{operation}", "b'{}'")[0] in (401, 403)
    assert ask(host, "api/workers")[0] == 401
    page = ask(host, f"worker/{WORKER}")[1]
    assert WORKER in page
    assert "worker-shutdown" not in page


def test_pages_contain_no_secret(host):
    secrets = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets")
    page = ask(host, f"worker/{WORKER}")[1]
    assert "broker_url" in page
    for name in ("broker", "database", "key"):
        assert (secrets / name).read_text().strip() not in page


def test_flower_listens_on_loopback_only(host):
    assert host.socket("tcp://127.0.0.1:5555").is_listening
    assert not host.socket("tcp://0.0.0.0:5555").is_listening


def test_flower_restarts_after_kill(host):
    with host.sudo():
        before = host.check_output("supervisorctl pid raycrafter-flower")
        host.check_output(f"kill -9 {before}")
        wait_for(
            "Supervisor started Flower again",
            lambda: host.run("supervisorctl pid raycrafter-flower").stdout.strip() not in {before, "0"},
        )
    wait_for("Flower answers", lambda: ask(host, "healthcheck")[0] == 200)
