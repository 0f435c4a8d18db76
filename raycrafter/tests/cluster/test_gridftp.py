"""GridFTP: what is asked of globus-url-copy, and its failures told apart."""

from __future__ import annotations

import re
import subprocess

import pytest
from raycrafter.cluster.errors import CredentialError, TransferError
from raycrafter.cluster.gridftp import GridFtp, proxy_lifetime
from raycrafter.cluster.transfer import Files


def never() -> None:
    """A copy that tells nobody how far it is."""


@pytest.fixture
def server(fake_site, proxy_of) -> GridFtp:
    return GridFtp("gsiftp://login.example:2811/", str(proxy_of(2)))


def test_options(server, fake_site, tmp_path, proxy_of) -> None:
    (tmp_path / "a b").touch()
    server.push(Files(tmp_path, f"{tmp_path}/there", ["a b"]), tmp_path / "state", never)
    server.pull(Files(tmp_path / "back", f"{tmp_path}/there", ["a b"]), tmp_path / "state", never)
    push, pull = (fake_site / "gridftp.log").read_text().splitlines()
    for call in (push, pull):
        assert all(option in call for option in ("-cd", "-rst", "-stall-timeout", f"-df {tmp_path}/state/rest"))
        assert call.endswith(str(proxy_of(2)))
    assert " -p " in push
    assert " -p " not in pull  # with streams the server would connect to the worker
    (line,) = (tmp_path / "state/pairs").read_text().splitlines()
    assert line == f'"gsiftp://login.example:2811{tmp_path}/there/a%20b" "file://{tmp_path}/back/a%20b"'


SESSION = "globus-url-copy-10.12.txt"
# The failing commands of the session by their number.
FAILURES = [
    (0, "missing"),
    (1, "permission"),
    (2, "permission"),
    (3, "missing"),
    (4, "quota"),
    (5, "credential"),
    (6, "credential"),
    (7, "credential"),
    (8, "network"),
    (9, "credential"),
    (10, "network"),
]


@pytest.mark.parametrize(("number", "kind"), FAILURES)
def test_recorded_failures_have_their_kind(server, fake_site, tmp_path, session, number, kind) -> None:
    answer = _failures(session)[number]
    (fake_site / "gridftp-says").write_text(answer.stderr)
    with pytest.raises(TransferError) as caught:
        server.push(Files(tmp_path, "/b", ["a"]), tmp_path / "state", never)
    assert " ".join(answer.stderr.split())[:500] in str(caught.value)
    assert caught.value.kind == kind


def _failures(session) -> list:
    return [answer for answer in session(SESSION) if answer.code]


# not recorded: a full quota and another server's missing file; form: github.com/gridcf/gct, globus_xio_util.h, and
# globus_gridftp_server_control_commands.c with GlobusError and GridFTP-Errno
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "\nerror: globus_ftp_client: the server responded with an error\n"
            "500 500-Command failed. : callback failed.\n"
            "500-globus_xio: System error in write: Disk quota exceeded\n"
            "500-globus_xio: A system call failed: Disk quota exceeded\n500 End.\n",
            "quota",
        ),
        (
            "\nerror: globus_ftp_client: the server responded with an error\n"
            "550 550-GlobusError: v=1 c=PATH_NOT_FOUND\n550-GridFTP-Errno: 2\n"
            "550-GridFTP-Reason: System error in stat\n550-GridFTP-Error-String: No such file or directory\n550 End.\n",
            "missing",
        ),
    ],
)
def test_other_failures_have_their_kind(server, fake_site, tmp_path, text, kind) -> None:
    (fake_site / "gridftp-says").write_text(text)
    with pytest.raises(TransferError) as caught:
        server.push(Files(tmp_path, "/b", ["a"]), tmp_path / "state", never)
    assert caught.value.kind == kind


@pytest.mark.parametrize(("number", "pull"), [(0, True), (3, False)])
def test_the_stand_in_answers_as_a_recorded_program(fake_site, tmp_path, session, number, pull) -> None:
    answer = _failures(session)[number]
    missing, local = tmp_path / "missing", tmp_path / "here.png"
    source, target = ("gsiftp://x:2811", "file://") if pull else ("file://", "gsiftp://x:2811")
    (tmp_path / "pairs").write_text(f'"{source}{missing}" "{target}{local}"\n')
    words = [*answer.command.split()[:-1], str(tmp_path / "pairs")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    path = re.search(r"Unable to open file (\S+)", answer.stderr)[1]
    assert (done.stderr, done.returncode) == (answer.stderr.replace(path, str(missing)), answer.code)
    assert local.exists() is pull  # an empty one


def test_the_proxy_is_looked_at_before_anything_is_tried(fake_site, tmp_path, proxy_of) -> None:
    assert 86_000 < proxy_lifetime(str(proxy_of(1))) <= 86_400
    files = Files(tmp_path, "/b", ["a"])
    unreadable = tmp_path / "proxy.pem"
    for path, text in ((tmp_path / "none.pem", "there is no grid proxy at"), (unreadable, "cannot be read")):
        unreadable.write_text("not a certificate")
        with pytest.raises(CredentialError, match=text):
            GridFtp("gsiftp://x", str(path)).push(files, tmp_path / "state", never)
    assert not (fake_site / "gridftp.log").exists()


def test_a_proxy_that_ends_soon_is_refused(fake_site, tmp_path, proxy_of, monkeypatch) -> None:
    from raycrafter.cluster import gridftp

    monkeypatch.setattr(gridftp, "MIN_LIFETIME", 3 * 86_400)
    with pytest.raises(CredentialError, match=r"valid for \d+ more seconds.*raycrafter-grid-proxy.service"):
        GridFtp("gsiftp://x", str(proxy_of(2))).pull(Files(tmp_path, "/b", ["a"]), tmp_path / "state", never)
    assert not (fake_site / "gridftp.log").exists()


def test_an_empty_list_of_what_is_left_does_not_mean_done(server, fake_site, tmp_path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/rest").touch()
    (tmp_path / "a").write_text("x")
    server.push(Files(tmp_path, f"{tmp_path}/b", ["a"]), tmp_path / "state", never)
    assert not (tmp_path / "state/rest").exists()
