"""Flower sees the workers and their tasks, remembers them, and can do nothing to them."""

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
    """Return status and body of one of Flower's pages; 0 when nobody answers. Data make it a POST."""
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


def finds(host, task: str) -> bool:
    """Tell whether Flower knows a task by its id, as done."""
    status, page = ask(host, f"task/{task}")
    return status == 200 and "SUCCESS" in page


@pytest.fixture
def task(host) -> str:
    """The id of a task that was done while Flower watched."""
    made = str(uuid.uuid4())
    send = f"app.send_task('raycrafter.tasks.plan', task_id='{made}')"
    host.check_output(f'{APPLICATION} -c "from raycrafter.celery import app; {send}"')
    wait_for("Flower has seen it", lambda: finds(host, made))
    return made


def test_it_is_well_and_sees_the_worker(host):
    assert ask(host, "healthcheck") == (200, "OK")

    def seen() -> dict[str, bool]:
        return {one["hostname"]: one["status"] for one in json.loads(ask(host, "workers?json=1")[1])["data"]}

    wait_for("the worker is there", lambda: seen() == {WORKER: True})


def test_what_it_saw_outlives_a_restart(host, task):
    with host.sudo():
        host.check_output("supervisorctl restart raycrafter-flower")
    wait_for("the task is still known", lambda: finds(host, task))


def test_it_can_do_nothing_to_the_worker(host):
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


def test_it_tells_no_secret(host):
    secrets = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets")
    page = ask(host, f"worker/{WORKER}")[1]
    assert "broker_url" in page
    for name in ("broker", "database", "key"):
        assert (secrets / name).read_text().strip() not in page


def test_nobody_else_can_reach_it(host):
    assert host.socket("tcp://127.0.0.1:5555").is_listening
    assert not host.socket("tcp://0.0.0.0:5555").is_listening


def test_it_comes_back_when_it_dies(host):
    with host.sudo():
        before = host.check_output("supervisorctl pid raycrafter-flower")
        host.check_output(f"kill -9 {before}")
        wait_for(
            "it is another process",
            lambda: host.run("supervisorctl pid raycrafter-flower").stdout.strip() not in {before, "0"},
        )
    wait_for("it answers", lambda: ask(host, "healthcheck")[0] == 200)
