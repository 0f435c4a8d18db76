"""The compute client on the cluster's file system, and access to the login node."""

from __future__ import annotations

import json

import pytest
from scenario import connected

DIRECTORY = "/lustre/sw/raycrafter"
KEY, FORMER = "/etc/raycrafter/cluster/id_ed25519", "/etc/raycrafter/cluster/former"


def ssh(host, key: str, command: str, options: str = ""):
    """Run a command on the login node as its user, with a key of the host."""
    line = f"ssh -F none -i {key} -o BatchMode=yes -o StrictHostKeyChecking=no {options}"
    return host.run(f"{line} render@login1 {command} </dev/null || exit 1")  # 255 would be an error of testinfra


@pytest.fixture
def worker():
    return connected("older", sudo=True)


@pytest.fixture
def second():
    return connected("newer", sudo=True)


def test_compute_node_reached_the_service(worker):
    messages = [json.loads(line) for line in worker.check_output("cat /srv/gelf").splitlines()]
    assert messages and {(message["host"], message["_kind"]) for message in messages} == {("compute1", "selftest")}


def test_files_belong_to_the_user_and_keys_are_private(login):
    assert login.check_output(f"find {DIRECTORY} ! -user render") == ""
    assert login.check_output(f"find {DIRECTORY}/tls ! -type d -perm /077") == ""


def test_every_worker_logs_in(worker, second):
    assert [ssh(host, KEY, "hostname").stdout for host in (worker, second)] == ["login1\n", "login1\n"]


def test_worker_cannot_forward_or_open_a_terminal(worker):
    assert "administratively prohibited" in ssh(worker, KEY, "", "-W localhost:22").stderr
    assert "PTY allocation request failed" in ssh(worker, KEY, "true", "-tt").stderr


def test_worker_key_is_refused_from_another_host(login):
    assert "Permission denied" in ssh(login, "/home/render/stolen", "true").stderr


def test_former_worker_key_is_refused(worker):
    assert "Permission denied" in ssh(worker, FORMER, "true").stderr


def test_lines_of_the_user_are_kept(login):
    assert "# a line of the user's own" in login.check_output("cat .ssh/authorized_keys")
