"""Help the tests connect to hosts, wait, deploy again and record outages."""

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
# The application's Python, run as its user and with its settings.
APPLICATION = (
    "sudo -u raycrafter env RAYCRAFTER_CONFIG=/etc/raycrafter/raycrafter.toml /opt/raycrafter/current/venv/bin/python"
)


def connected(name: str, **options):
    """Return the testinfra connection to a host of the scenario.

    `sudo=True` runs commands as root.
    """
    return testinfra.get_host(f"ansible://{name}", ansible_inventory=os.environ["MOLECULE_INVENTORY_FILE"], **options)


def address_of(name: str) -> str:
    """Return the IPv4 address of a host in the scenario's inventory."""
    return connected(name).ansible.get_variables()["ansible_host"]


def wait_for(what: str, ask: Callable, limit: float = 120, failing: tuple[type[Exception], ...] = ()):
    """Call `ask` until its result is true; return the result.

    Exceptions in `failing` count as false. After `limit` seconds the test fails with `what` and the last result or
    exception.
    """
    end = time.monotonic() + limit
    while True:
        try:
            result = ask()
        except failing as error:
            result, last = None, error
        else:
            last = result
        if result:
            return result
        assert time.monotonic() < end, f"after {limit} s still not: {what}; last result: {last!r}"
        time.sleep(0.3)


def run_playbook(playbook: Path, inventory: Path, *options: str) -> subprocess.CompletedProcess:
    """Run a playbook with options of ansible-playbook; its plain output names every task."""
    command = ["ansible-playbook", *options, "--inventory", inventory, playbook]
    plain = {"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_OK_HOSTS": "true"}
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=1200, env=os.environ | plain, check=False
    )


def play(playbook: Path, inventory: Path, *options: str) -> str:
    """Return the output of a playbook. The test fails when the playbook does."""
    run = run_playbook(playbook, inventory, *options)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def deploy(*options: str) -> str:
    """Converge the scenario's hosts again, with the options and result of `play`."""
    inventory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "inventory")
    return play(PROJECT / "molecule/shared/converge.yml", inventory, *options)


@contextmanager
def watched(urls: dict[str, str]) -> Iterator[list[set[str]]]:
    """Request URLs four times a second and record the unreachable names.

    Yields a list with a set of names for each round, which grows until the block ends. A URL that answers late or with
    an error status is reachable.
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
