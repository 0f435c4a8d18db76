"""The client on the cluster's file system, and who may come to the login node."""

from __future__ import annotations

import json

import pytest
from scenario import connected

DIRECTORY = "/lustre/sw/raycrafter"


def ssh(host, key: str, command: str, options: str = ""):
    """Run a command on the login node, as the service's user there and with one of the keys on the host."""
    line = f"ssh -F none -i /etc/raycrafter/cluster/{key} -o BatchMode=yes -o StrictHostKeyChecking=no {options}"
    return host.run(f"{line} render@login1 {command} </dev/null || exit 1")  # 255 would be testinfra's own connection's


@pytest.fixture
def worker():
    return connected("older", sudo=True)


@pytest.fixture
def stranger():
    return connected("newer", sudo=True)


def test_a_compute_node_reached_us(worker):
    messages = [json.loads(line) for line in worker.check_output("cat /srv/gelf").splitlines()]
    assert messages and {(message["host"], message["_kind"]) for message in messages} == {("compute1", "selftest")}


def test_it_is_an_ordinary_users_and_nobody_else_has_the_key(login):
    assert login.check_output(f"find {DIRECTORY} ! -user render") == ""
    assert login.check_output(f"find {DIRECTORY}/tls ! -type d -perm /077") == ""


def test_the_worker_may_come(worker):
    assert ssh(worker, "id_ed25519", "hostname").stdout == "login1\n"


def test_it_may_run_commands_and_nothing_else(worker):
    assert "administratively prohibited" in ssh(worker, "id_ed25519", "", "-W localhost:22").stderr
    assert "PTY allocation request failed" in ssh(worker, "id_ed25519", "true", "-tt").stderr


def test_its_key_opens_nothing_from_elsewhere(stranger):
    assert "Permission denied" in ssh(stranger, "stolen", "true").stderr


def test_its_former_key_opens_nothing(worker):
    assert "Permission denied" in ssh(worker, "former", "true").stderr


def test_what_the_user_wrote_stays(login):
    assert "# a line of the user's own" in login.check_output("cat .ssh/authorized_keys")
