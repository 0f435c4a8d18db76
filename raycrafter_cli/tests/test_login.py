"""Test the sign-in, the saved settings and the variables that override them."""

import json

import pytest

from .conftest import PASSWORD, TOKEN, URL


def test_login_reads_the_password_from_stdin_and_saves_the_token_privately(command):
    result = command("login", URL, "--username", "alice", stdin=PASSWORD + "\n")
    assert f"Signed in at {URL} as alice" in result.output
    assert PASSWORD not in result.output
    assert TOKEN not in result.output
    assert json.loads(command.config.read_text()) == {"url": URL, "token": TOKEN, "ca": None}
    assert command.config.stat().st_mode & 0o777 == 0o600
    assert command.config.parent.stat().st_mode & 0o777 == 0o700
    assert "No jobs yet" in command("list").output


def test_login_makes_a_readable_file_private(command):
    command.signed_in()
    command.config.chmod(0o644)
    command("login", URL, "--username", "alice", stdin=PASSWORD)
    assert command.config.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in command.config.parent.iterdir()] == ["config.json"]


def test_wrong_password_saves_nothing(command, service):
    result = command("login", URL, "--username", "alice", stdin="wrong\n", code=2)
    assert "User name or password is wrong." in result.output
    assert not command.config.exists()
    assert len(service.requests) == 1  # a password is never sent twice without the user


@pytest.mark.parametrize(
    ("words", "stdin", "reason"),
    [
        ((URL,), PASSWORD, "--username"),
        ((URL, "--username", "alice"), "", "password is empty"),
        (("http://master1", "--username", "alice"), PASSWORD, "use https://"),
        (("ftp://master1", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://[bad", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://h:abc", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://h:99999", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://a..b", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://" + 64 * "a", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://xn--a", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://h ost", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://h\x01", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://me:secret@h", "--username", "alice"), PASSWORD, "is not an address"),
        (("https://h/?page=1", "--username", "alice"), PASSWORD, "is not an address"),
        ((URL, "--username", "alice"), b"\xff\n", "password is not UTF-8"),
        ((URL, "--username", "alice", "--ca", "/no/such/file"), PASSWORD, "/no/such/file"),
    ],
)
def test_invalid_arguments_are_usage_errors(command, service, words, stdin, reason):
    output = command("login", *words, stdin=stdin, code=2).output
    assert reason in output and "Traceback" not in output
    assert service.requests == []


def test_bare_host_means_https(command):
    command("login", "master1/", "--username", "alice", stdin=PASSWORD)
    assert json.loads(command.config.read_text())["url"] == URL


def test_missing_login_is_explained(command):
    assert "raycrafter login URL" in command("list", code=2).output


def test_environment_overrides_the_file(command, service, monkeypatch):
    command.signed_in(token="old")
    monkeypatch.setenv("RAYCRAFTER_TOKEN", TOKEN)
    command("list")
    assert service.requests[0].url.host == "master1"


@pytest.mark.parametrize("token", ["tökén", "two words", "line\n"])
def test_invalid_token_is_refused_and_not_shown(rc, service, monkeypatch, token):
    monkeypatch.setenv("RAYCRAFTER_TOKEN", token)
    output = rc("list", code=2).output
    assert "the token in RAYCRAFTER_TOKEN is invalid" in output
    assert token not in output
    monkeypatch.delenv("RAYCRAFTER_TOKEN")
    rc.signed_in(token=token)
    assert f"the token in {rc.config} is invalid" in rc("list", code=2).output
    assert service.requests == []


def test_invalid_proxy_is_explained(rc, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "foo://proxy:1")
    assert "HTTPS_PROXY or ALL_PROXY" in rc("list", code=2, network=True).output


def test_saved_token_is_not_sent_to_another_address(rc, service, monkeypatch):
    monkeypatch.setenv("RAYCRAFTER_URL", "https://elsewhere.example")
    rc("list", code=2)
    assert service.requests[0].url.host == "elsewhere.example"
    assert "Authorization" not in service.requests[0].headers


def test_expired_token_asks_for_a_new_login(command):
    command.signed_in(token="ended")
    output = command("list", code=2).output
    assert "Invalid token." in output
    assert f"raycrafter login {URL}" in output


def test_expired_token_of_the_environment_is_named(rc, monkeypatch):
    monkeypatch.setenv("RAYCRAFTER_TOKEN", "ended")
    assert "RAYCRAFTER_TOKEN" in rc("list", code=2).output


def test_logout_deletes_a_revoked_token(command):
    command.signed_in(token="ended")
    command("logout")
    assert not command.config.exists()


def test_logout_revokes_and_deletes_the_token(rc, service):
    rc("logout")
    assert service.requests[0].url.path == "/api/v1/auth/logout"
    assert not rc.config.exists()


def test_invalid_file_is_named(rc):
    rc.config.write_text("{")
    assert str(rc.config) in rc("list", code=2).output


def test_unknown_authority_is_explained_and_ca_fixes_it(command, tls):
    words = ("login", tls.url, "--username", "alice")
    output = command(*words, stdin=PASSWORD, code=2, network=True).output
    assert "is not trusted" in output
    assert f"raycrafter login {tls.url} --ca FILE" in output
    command(*words, "--ca", tls.ca_file, stdin=PASSWORD, network=True)
    assert json.loads(command.config.read_text())["ca"] == str(tls.ca_file)
    # The file is saved: the option is not needed again.
    assert "No jobs yet" in command("list", network=True).output


def test_ca_of_the_environment_is_used(command, tls, monkeypatch):
    monkeypatch.setenv("RAYCRAFTER_URL", tls.url)
    monkeypatch.setenv("RAYCRAFTER_TOKEN", TOKEN)
    command("list", code=2, network=True)
    monkeypatch.setenv("RAYCRAFTER_CA", str(tls.ca_file))
    command("list", network=True)


def test_wrong_host_name_is_refused(command, tls):
    command.signed_in(url=f"https://localhost:{tls.port}", ca=str(tls.ca_file))
    output = command("list", code=2, network=True).output
    assert "is not trusted" in output and "Check the address" in output
    assert "--ca" not in output  # another authority is no fix


def test_invalid_ca_file_is_named(rc, tmp_path):
    (tmp_path / "no.crt").write_text("nothing")
    rc.signed_in(ca=str(tmp_path / "no.crt"))
    assert "no.crt cannot be used as a CA file" in rc("list", code=2).output


def test_unreachable_host_is_named(command, tls):
    command.signed_in(url=tls.url)
    tls.close()
    output = command("list", code=2, network=True).output
    assert f"cannot reach 127.0.0.1:{tls.port}" in output
