"""What every adapter must do, and what rsync does with a real sshd: go on where it stopped."""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from raycrafter.cluster import transfer
from raycrafter.cluster.errors import SshError, TransferError
from raycrafter.cluster.gridftp import GridFtp
from raycrafter.cluster.ssh import Remote
from raycrafter.cluster.ssh_transfer import SshTransfer
from raycrafter.cluster.transfer import Files
from raycrafter.tasks.transfer_progress import arrived

MIB = 1024 * 1024
NAMES = ["plain.pov", "two words.inc", "100%.png", "ä#?.txt", "a/b/c.pov", "--x", "#x", ";x", "$(id)", "-rf/'x'", "~"]


def never() -> None:
    """A copy that tells nobody how far it is."""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The directory with the faults of the network to the login node; see relay.py."""
    directory = tmp_path / "network"
    directory.mkdir()
    return directory


@pytest.fixture
def login(tmp_path: Path, network: Path) -> Iterator[Remote]:
    """A login node: an sshd of our own on this host, for the user of these tests."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    assert program, "there is no sshd: install openssh-server (lab/controller-packages.txt; it need not run)"
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where root's sshd separates its privileges
    with tempfile.TemporaryDirectory() as short, socket.socket() as reserved:  # a socket's path has 107 bytes
        home = Path(short)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / key], check=True)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        (home / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nAuthorizedKeysFile {home}/user.pub\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n"
        )
        (home / "known_hosts").write_text(f"cluster {(home / 'host.pub').read_text()}")
        (home / "ssh_config").write_text(
            f"Host cluster\n HostKeyAlias cluster\n User {getpass.getuser()}\n IdentityFile {home}/user\n"
            f" IdentitiesOnly yes\n IdentityAgent none\n UserKnownHostsFile {home}/known_hosts\n"
            f" ControlPath {home}/control\n"
            f" ProxyCommand {sys.executable} {Path(__file__).with_name('relay.py')} 127.0.0.1 {port} {network}\n"
        )
        log = home / "log"
        with subprocess.Popen([program, "-D", "-f", str(home / "sshd_config"), "-E", str(log)]) as server:
            try:
                _listens(port, server, log)
                yield Remote(str(home / "ssh_config"), "cluster", str(home))
            finally:
                _hang_up(home)
                server.terminate()


def _listens(port: int, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _hang_up(home: Path) -> None:
    subprocess.run(["ssh", "-F", home / "ssh_config", "-O", "exit", "cluster"], capture_output=True, check=False)


@pytest.fixture
def ssh(login: Remote) -> SshTransfer:
    return SshTransfer(login)


@pytest.fixture
def gridftp(fake_site: Path, proxy_of) -> GridFtp:
    return GridFtp("gsiftp://login.example:2811/", str(proxy_of(2)))


@pytest.fixture(params=["gridftp", "ssh"])
def adapter(request: pytest.FixtureRequest) -> transfer.Adapter:
    return request.getfixturevalue(request.param)


# -- every adapter ----------------------------------------------------------------------------------------------------


def test_push_and_pull_names_with_anything_in_them(adapter, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text(name)
        (tmp_path / "back" / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "here/not asked for").touch()
    adapter.push(Files(tmp_path / "here", f"{tmp_path}/the re/$x", NAMES), tmp_path / "state", never)
    assert _below(tmp_path / "the re/$x") == {name: name for name in NAMES}
    everything = [f"{tmp_path}/the re/$x/{name}".lstrip("/") for name in NAMES]
    back = tmp_path / "back"
    for name in everything:
        (back / name).parent.mkdir(parents=True, exist_ok=True)
    adapter.pull(Files(back, "/", everything), tmp_path / "state2", never)
    assert _below(back) == dict(zip(everything, NAMES, strict=True))


def test_missing_file_does_not_keep_the_others(adapter, tmp_path: Path) -> None:
    for directory in ("there", "back"):
        (tmp_path / directory).mkdir()
    (tmp_path / "there/two").write_text("x")
    with pytest.raises(TransferError) as caught:
        adapter.pull(Files(tmp_path / "back", f"{tmp_path}/there", ["proxy.png", "two"]), tmp_path / "state", never)
    assert caught.value.kind == "missing"  # whatever words its name has
    found = _below(tmp_path / "back")
    assert found.pop("two") == "x"
    assert found in ({}, {"proxy.png": ""})  # globus-url-copy leaves an empty one: recorded/globus-url-copy-10.12.txt


def test_the_same_again_changes_nothing(adapter, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/a").write_text("first")
    for text in ("first", "second, and longer"):
        (tmp_path / "here/a").write_text(text)
        for _ in range(2):
            adapter.push(Files(tmp_path / "here", f"{tmp_path}/there", ["a"]), tmp_path / "state", never)
            assert _below(tmp_path / "there") == {"a": text}


def _below(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


# -- ssh --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["push", "pull"])
@pytest.mark.parametrize("end", ["cut", "killed"])
def test_a_copy_that_broke_off_sends_only_the_rest(ssh, login, network, tmp_path, monkeypatch, direction, end) -> None:
    """``cut``: the network ends. ``killed``: rsync is, and nobody on this side can put anything in order."""
    files = Files(tmp_path / "here", f"{tmp_path}/there", ["big", "small"])
    source, target = (files.here, Path(files.there)) if direction == "push" else (Path(files.there), files.here)
    for directory in (source, target):
        directory.mkdir()
    (source / "big").write_bytes(random.Random(1).randbytes(12 * MIB))  # noqa: S311 -- only to be hard to compress
    (source / "small").write_text("s")
    tick, error, said = never, TransferError, r"transfer \(network\)"
    if end == "cut":
        (network / "cut").write_text(str(6 * MIB))
    else:
        (network / "rate").write_text(str(4 * MIB))
        monkeypatch.setattr(transfer, "TICK", 0.05)
        tick, error, said = functools.partial(_kill, target / "big", 3 * MIB), KilledError, "killed"
    with pytest.raises(error, match=said):
        getattr(ssh, direction)(files, tmp_path / "state", tick)
    got = (target / "big").stat().st_size
    assert MIB < got < 11 * MIB
    for fault in ("cut", "rate"):
        (network / fault).unlink(missing_ok=True)
    login.run("true")  # the connection stands again
    before = int((network / "bytes").read_text())
    getattr(ssh, direction)(files, tmp_path / "state", never)
    sent = int((network / "bytes").read_text()) - before
    assert _digests(target) == _digests(source)
    # The rest, the checksums of the blocks that are there, and ssh's own.
    assert sent < 12 * MIB - got + MIB // 2


class KilledError(Exception):
    """What ends a run at once, with its whole process group."""


def _kill(path: Path, size: int) -> None:
    if path.exists() and path.stat().st_size >= size:
        raise KilledError("killed")


def test_how_far_it_is_rises_while_it_goes(ssh, network, tmp_path, monkeypatch) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    (there / "big").write_bytes(random.Random(2).randbytes(6 * MIB))  # noqa: S311 -- as above
    (network / "rate").write_text(str(2 * MIB))
    monkeypatch.setattr(transfer, "TICK", 0.1)
    seen: list[int] = []
    here.mkdir()
    ssh.pull(
        Files(here, str(there), ["big"]), tmp_path / "state", lambda: seen.append(arrived({here / "big": 6 * MIB}))
    )
    assert seen == sorted(seen) and len(set(seen)) > 2 and 0 < seen[-1] <= 6 * MIB


def test_no_connection_is_no_copy(ssh, login, network, tmp_path) -> None:
    (network / "cut").write_text("1")
    with pytest.raises(SshError, match="ssh to cluster"):
        ssh.pull(Files(tmp_path, "/there", ["a"]), tmp_path / "state", never)


def test_links_on_the_cluster_lead_nowhere(ssh, tmp_path) -> None:
    """What a renderer leaves under a frame's name may be a link to anything."""
    for name in ("there", "back"):
        (tmp_path / name).mkdir()
    (tmp_path / "there/frame.png").symlink_to("/etc/passwd")
    ssh.pull(Files(tmp_path / "back", f"{tmp_path}/there", ["frame.png"]), tmp_path / "state", never)
    assert not (tmp_path / "back/frame.png").exists()


def _digests(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}
