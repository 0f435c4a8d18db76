"""GridFTP: what is asked of globus-url-copy, and its failures told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from raycrafter.cluster.errors import CredentialError, TransferError
from raycrafter.cluster.gridftp import GridFtp, Pair, proxy_lifetime


@pytest.fixture
def server(fake_site, proxy_of) -> GridFtp:
    return GridFtp("gsiftp://login.example:2811/", str(proxy_of(2)))


def test_push_and_pull_names_with_anything_in_them(server, fake_site, tmp_path: Path) -> None:
    names = ["plain.pov", "two words.inc", "100%.png", "ä#?.txt", "a/b/c.pov", "--x"]
    for name in names:
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text(name)
    server.push([Pair(tmp_path / "here" / name, f"{tmp_path}/there/{name}") for name in names], tmp_path / "state")
    assert all((tmp_path / "there" / name).read_text() == name for name in names)
    server.pull([Pair(tmp_path / "back" / name, f"{tmp_path}/there/{name}") for name in names], tmp_path / "state2")
    assert all((tmp_path / "back" / name).read_text() == name for name in names)


def test_options(server, fake_site, tmp_path, proxy_of) -> None:
    (tmp_path / "a").touch()
    server.push([Pair(tmp_path / "a", f"{tmp_path}/b")], tmp_path / "state")
    server.pull([Pair(tmp_path / "c", f"{tmp_path}/b")], tmp_path / "state")
    push, pull = (fake_site / "gridftp.log").read_text().splitlines()
    for call in (push, pull):
        assert all(option in call for option in ("-cd", "-rst", "-stall-timeout", f"-df {tmp_path}/state/rest"))
        assert call.endswith(str(proxy_of(2)))
    assert " -p " in push
    assert " -p " not in pull  # with streams the server would connect to the worker
    assert "gsiftp://login.example:2811/" in (tmp_path / "state/pairs").read_text()


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
        server.push([Pair(tmp_path / "a", "/b")], tmp_path / "state")
    assert caught.value.kind == kind
    assert text.splitlines()[0] in str(caught.value)


def test_one_missing_file_does_not_keep_the_others(server, tmp_path) -> None:
    (tmp_path / "there").write_text("x")
    pairs = [Pair(tmp_path / "one", f"{tmp_path}/missing"), Pair(tmp_path / "two", f"{tmp_path}/there")]
    with pytest.raises(TransferError) as caught:
        server.pull(pairs, tmp_path / "state")
    assert caught.value.kind == "missing"
    assert (tmp_path / "two").read_text() == "x"


def test_the_proxy_is_looked_at_before_anything_is_tried(fake_site, tmp_path, proxy_of) -> None:
    assert 86_000 < proxy_lifetime(str(proxy_of(1))) <= 86_400
    pair = [Pair(tmp_path / "a", "/b")]
    unreadable = tmp_path / "proxy.pem"
    for path, text in ((tmp_path / "none.pem", "there is no grid proxy at"), (unreadable, "cannot be read")):
        unreadable.write_text("not a certificate")
        with pytest.raises(CredentialError, match=text):
            GridFtp("gsiftp://x", str(path)).push(pair, tmp_path / "state")
    assert not (fake_site / "gridftp.log").exists()


def test_a_proxy_that_ends_soon_is_refused(fake_site, tmp_path, proxy_of, monkeypatch) -> None:
    from raycrafter.cluster import gridftp

    monkeypatch.setattr(gridftp, "MIN_LIFETIME", 3 * 86_400)
    with pytest.raises(CredentialError, match=r"valid for \d+ more seconds.*raycrafter-grid-proxy.service"):
        GridFtp("gsiftp://x", str(proxy_of(2))).pull([Pair(tmp_path / "a", "/b")], tmp_path / "state")
    assert not (fake_site / "gridftp.log").exists()


def test_an_empty_list_of_what_is_left_does_not_mean_done(server, fake_site, tmp_path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/rest").touch()
    (tmp_path / "a").write_text("x")
    server.push([Pair(tmp_path / "a", f"{tmp_path}/b")], tmp_path / "state")
    assert not (tmp_path / "state/rest").exists()
