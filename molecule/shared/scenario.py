"""What the tests of the scenarios share: hosts by name, waiting, deploying again, and who was away meanwhile."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import testinfra

PROJECT = Path(__file__).resolve().parents[2]
# The application's Python, as the application: it sees the database and the broker.
APPLICATION = (
    "sudo -u raycrafter env RAYCRAFTER_CONFIG=/etc/raycrafter/raycrafter.toml /opt/raycrafter/current/venv/bin/python"
)


def connected(name: str, **options):
    """Return testinfra's host of a name in the scenario's inventory; `sudo=True` runs its commands as root."""
    return testinfra.get_host(f"ansible://{name}", ansible_inventory=os.environ["MOLECULE_INVENTORY_FILE"], **options)


def address_of(name: str) -> str:
    """Return the IPv4 address of a host in the scenario's inventory."""
    return connected(name).ansible.get_variables()["ansible_host"]


def wait_for(what: str, ask: Callable, limit: float = 120, failing: tuple[type[Exception], ...] = ()):
    """Return the first true answer of `ask`; an error of the kinds in `failing` is no answer yet.

    After `limit` seconds the test fails with `what` and the last answer.
    """
    end = time.monotonic() + limit
    while True:
        try:
            answer = ask()
        except failing as error:
            answer, last = None, error
        else:
            last = answer
        if answer:
            return answer
        assert time.monotonic() < end, f"after {limit} s still not: {what}; last answer: {last!r}"
        time.sleep(0.3)


def play(playbook: Path, inventory: Path, *options: str) -> str:
    """Run a playbook with options of ansible-playbook; return what it printed, in plain text.

    The test fails when the playbook does.
    """
    command = ["ansible-playbook", *options, "--inventory", inventory, playbook]
    plain = os.environ | {"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=1200, env=plain)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def deploy(*options: str) -> str:
    """Converge the scenario's hosts once more; for options, result and failure see `play`."""
    inventory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "inventory")
    return play(PROJECT / "molecule/shared/converge.yml", inventory, *options)


@contextmanager
def watched(urls: dict[str, str]) -> Iterator[list[set[str]]]:
    """Ask URLs four times a second while the block runs; note each time the names of those that nobody answered.

    Who answers late, or with an error, is not away.
    """
    done, away = threading.Event(), []

    def watch() -> None:
        while not done.wait(0.25):
            away.append({name for name, url in urls.items() if not _answers(url)})

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield away
    finally:
        done.set()
        watcher.join()


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=30)
    except httpx.TimeoutException:
        pass
    except httpx.TransportError:
        return False
    return True
