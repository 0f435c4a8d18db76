"""Two workers share the tasks of one service; only the leader uses ssh."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from scenario import APPLICATION, connected, wait_for

HOSTS = ("older", "newer")
LEADER, OTHER = "newer", "older"  # since side_effect.yml
# Seconds. One `celery inspect` takes about ten on a busy machine.
BUSY = 240
KEY = "/etc/raycrafter/cluster/id_ed25519"


def as_root(name: str):
    """Return a connection to a host of the scenario that runs commands as root."""
    return connected(name, sudo=True)


@pytest.fixture(scope="module")
def master():
    return as_root("master")


def inspect(master, question: str) -> dict:
    """Return the replies of the workers to `celery inspect`, by worker name."""
    answer = master.run(f"{APPLICATION} -m celery --app raycrafter.celery:app inspect {question} --json --timeout 5")
    return json.loads(answer.stdout) if answer.rc == 0 else {}


def active(master) -> dict[str, dict[str, list[dict]]]:
    """Return the running tasks, by task name and worker."""
    running: dict[str, dict[str, list[dict]]] = {}
    for worker, tasks in inspect(master, "active").items():
        for one in tasks:
            name = one["name"].removeprefix("raycrafter.tasks.")
            running.setdefault(name, {}).setdefault(worker, []).append(one)
    return running


def send(master, task: str, count: int) -> None:
    """Send a task `count` times, with the id of a job that does not exist."""
    code = f"[app.send_task('raycrafter.tasks.{task}', [10**9]) for _ in range({count})]"
    master.check_output(f'{APPLICATION} -c "from raycrafter.celery import app; {code}"')


@contextmanager
def jobs_locked(master) -> Iterator[None]:
    """Block every task that reads a job, by locking the table."""
    lock = "(echo 'BEGIN; LOCK TABLE jobs_job;'; sleep 600) | psql raycrafter"
    master.check_output(f'systemd-run --quiet --unit=held --uid=postgres --working-directory=/ sh -c "{lock}"')
    try:
        yield
    finally:
        master.run("systemctl stop held.service")


def programs(name: str) -> set[str]:
    """Return the programs that run under Supervisor on a host."""
    lines = as_root(name).run("supervisorctl status").stdout.splitlines()
    return {line.split()[0].removeprefix("raycrafter-") for line in lines if line.split()[1] == "RUNNING"}


def test_beat_and_ssh_worker_run_on_the_new_leader_only():
    assert programs(LEADER) == {"worker-ssh", "worker-transfer", "worker-default", "beat"}
    assert programs(OTHER) == {"worker-transfer", "worker-default"}


def test_workers_share_tasks_and_ssh_tasks_run_one_at_a_time(master):
    with jobs_locked(master):
        send(master, "push_input", 8)
        send(master, "ensure_workspace", 4)

        def shared() -> bool:
            running = active(master)
            # beat's own poll may be the task that runs
            asking = [running.get(name, {}) for name in ("ensure_workspace", "poll_cluster")]
            ssh = [worker for tasks in asking for worker, found in tasks.items() for _ in found]
            assert running.get("push_input", {}).keys() == {f"transfer@{name}" for name in HOSTS}, running
            assert ssh == [f"ssh@{LEADER}"], running
            return True

        wait_for("both hosts run transfers, and one runs an ssh task", shared, BUSY, (AssertionError,))
        wait_for(
            "both hosts run beat's tasks",
            lambda: active(master).get("plan", {}).keys() == {f"default@{name}" for name in HOSTS},
            BUSY,
        )
    wait_for("all tasks are done", lambda: not active(master).keys() & {"push_input", "ensure_workspace"}, BUSY)


def test_task_of_a_killed_worker_is_redelivered(master):
    with jobs_locked(master):
        send(master, "push_input", 1)
        (worker, (task,)) = wait_for("a worker runs the task", lambda: active(master).get("push_input"), BUSY).popitem()
        host = as_root(worker.split("@")[1])
        host.check_output("kill -9 $(supervisorctl pid raycrafter-worker-transfer)")
        again = wait_for(
            "the task is redelivered",
            lambda: [
                one
                for tasks in active(master).get("push_input", {}).values()
                for one in tasks
                if one["id"] == task["id"] and one["delivery_info"]["redelivered"]
            ],
            BUSY,
        )
    assert again
    wait_for("the task is done", lambda: "push_input" not in active(master), BUSY)


@pytest.mark.parametrize("program", ["beat", "worker-ssh", "worker-default"])
def test_process_restarts_after_kill(program):
    host = as_root(LEADER)
    before = host.check_output(f"supervisorctl pid raycrafter-{program}")
    host.check_output(f"kill -9 {before}")
    wait_for(
        f"{program} runs again",
        lambda: (
            host.run(f"supervisorctl pid raycrafter-{program}").stdout.strip() not in {before, "0"}
            and program in programs(LEADER)
        ),
        60,
    )


@pytest.mark.parametrize("name", HOSTS)
def test_cluster_key_is_readable_by_the_service_only(name):
    host = as_root(name)
    host.check_output(f"sudo -u raycrafter cat {KEY}")
    assert host.run(f"sudo -u nobody cat {KEY}").rc != 0
    assert host.run(f"sudo -u ansible cat {KEY}").rc != 0


def test_child_stays_within_the_planned_memory(master):
    """Compare the children's proportional set size with the role's 120 MB per child."""
    for name in HOSTS:
        pss = "awk '/^Pss:/ {print $2}' /proc/$1/smaps_rollup"
        workers = as_root(name).check_output(
            "for p in $(pgrep -u raycrafter -f 'celery.*worker --queues'); do set -- $p; " + pss + "; done"
        )
        kilobytes = [int(line) for line in workers.split()]
        queues = len(programs(name) - {"beat"})
        assert sum(kilobytes) / (len(kilobytes) - queues) < 120 * 1024
