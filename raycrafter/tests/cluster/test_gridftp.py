"""GridFTP: what is asked of globus-url-copy, and its failures told apart."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("error: globus_xio: Unable to connect to login:2811\nConnection refused", "network"),
        ("error: an end-of-file was reached", "network"),
        ("GSS Major Status: Authentication Failed\nglobus_gsi_callback: expired credential", "credential"),
        ("500-globus_xio: System error in write: Disk quota exceeded", "quota"),
        ("500-Command failed. : No space left on device", "quota"),
    ],
)
def test_failures_are_told_apart(server, fake_site, tmp_path, text, kind) -> None:
    (fake_site / "gridftp-says").write_text(text)
    with pytest.raises(TransferError) as caught:
        server.push(Files(tmp_path, "/b", ["a"]), tmp_path / "state", never)
    assert caught.value.kind == kind
    assert text.splitlines()[0] in str(caught.value)


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
