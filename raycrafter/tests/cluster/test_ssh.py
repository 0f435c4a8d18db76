"""ssh: arguments, exit codes, limits, one connection."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from raycrafter.cluster.batch import process
from raycrafter.cluster.errors import RemoteError, SshError


def test_arguments_arrive_as_they_are(remote) -> None:
    hostile = ["a b", "$(touch /tmp/never)", "`id`", "'", '"', "\\", "*", "!x", "-n", "a;b", "ü", "#"]
    script = 'for word in "$@"; do printf "%s\\0" "$word"; done'
    assert remote.run(script, *hostile).stdout.split("\0")[:-1] == hostile


def test_data_arrives_and_otherwise_there_is_no_input(remote) -> None:
    blob = bytes(range(256)) * 1000
    assert (
        remote.run("sha256sum", data=blob).stdout
        == subprocess.run(["sha256sum"], input=blob, capture_output=True, check=True).stdout.decode()
    )
    assert remote.run("wc -c").stdout.strip() == "0"


def test_a_commands_own_255_is_not_sshs(remote) -> None:
    assert remote.run("exit 255").code == 254
    assert remote.run("exit 7").code == 7
    with pytest.raises(RemoteError, match="trying ended with 7: because"):
        remote.check("trying", "echo because >&2; exit 7")


def test_the_stand_in_answers_as_a_recorded_ssh(fake_site, session) -> None:
    """recorded/openssh-9.2p1.txt: without a server, with a shared connection, and when that ends during a command."""
    no_master, refused, opened, running, ran, lost = session("openssh-9.2p1.txt")[:6]
    (fake_site / "ssh-down").touch()
    _same(no_master)
    _same(refused)
    (fake_site / "ssh-down").unlink()
    for each in (opened, running, ran):
        _same(each)
    (fake_site / "ssh-loses-reply-to").write_text("sleep 20")
    _same(lost, "true sleep 20")


def _same(recorded, command: str = "") -> None:
    """Give the stand-in a recorded command line, or its own command at the end of it, and compare the answers."""
    words = recorded.command.split()
    end = words.index("--") + 1 if "--" in words else len(words)
    words[end:] = [command or " ".join(words[end:])] if end < len(words) else []
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    texts = [re.sub(r"pid=[0-9]+", "pid", text) for text in (done.stderr, recorded.stderr)]
    assert (done.stdout, texts[0], done.returncode) == (recorded.stdout, texts[1], recorded.code), recorded.command


def test_no_connection_is_an_error_of_its_own_and_not_tried_at_once_again(remote, fake_site, monkeypatch) -> None:
    (fake_site / "ssh-down").touch()
    with pytest.raises(SshError, match=r"ssh to cluster: .*Connection refused"):
        remote.run("true")
    asked = len((fake_site / "ssh.log").read_text().splitlines())
    (fake_site / "ssh-down").unlink()
    with pytest.raises(SshError, match="Connection refused"):
        remote.run("true")
    assert len((fake_site / "ssh.log").read_text().splitlines()) == asked
    later = time.monotonic() + 6
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert remote.run("true").code == 0


def test_the_connection_is_opened_once_and_commands_only_use_it(remote, fake_site) -> None:
    for _ in range(3):
        remote.run("true")
    calls = (fake_site / "ssh.log").read_text().splitlines()
    assert sum(" -Nf " in call for call in calls) == 1
    commands = [call for call in calls if " -- sh -c " in call]
    assert len(commands) == 3
    assert all("ControlMaster=no" in call and "BatchMode=yes" in call for call in commands)


def test_a_file_appears_whole_and_for_the_owner_alone(remote, fake_site) -> None:
    path = fake_site / "lustre/new dir/client.json"
    remote.write(str(path), b'{"token": "x"}')
    assert path.read_bytes() == b'{"token": "x"}'
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["client.json"]


def test_half_a_file_is_no_file(remote, fake_site) -> None:
    """The connection ends while the data is on its way: cat sees an ordinary end."""
    from raycrafter.cluster import ssh

    path = fake_site / "half"
    assert remote.run(ssh._WRITE, str(path), "100", data=b"short").code != 0
    assert not path.exists()


def test_a_command_that_hangs_is_killed_with_its_children(remote, fake_site) -> None:
    pid = fake_site / "pid"
    with pytest.raises(SshError, match="took longer than 1 s"):
        remote.run(f"sh -c 'echo $$ >{pid}; exec sleep 60' & wait", timeout=1.0)
    child = Path("/proc", pid.read_text().strip(), "stat")
    deadline = time.monotonic() + 10
    while _alive(child):
        assert time.monotonic() < deadline, "the command's child is still there"


def _alive(stat: Path) -> bool:
    """Whether a process runs; one that nobody has waited for is dead."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_output_is_capped() -> None:
    flood = [sys.executable, "-c", "while True: print('x' * 1000)"]
    with pytest.raises(process.LimitError, match="wrote more than 100000 bytes"):
        process.run(flood, timeout=20, limit=100_000)


def test_a_child_that_stays_behind_with_the_pipes_does_not_hold_us() -> None:
    """What an ssh connection in the background does to whoever reads a pipe."""
    started = time.monotonic()
    with pytest.raises(process.LimitError, match="took longer than 1 s"):
        process.run(["sh", "-c", "sleep 60 & echo done"], timeout=1.0)
    assert time.monotonic() - started < 10
