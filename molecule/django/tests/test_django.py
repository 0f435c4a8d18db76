"""The application serves requests and reloads without losing one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from scenario import wait_for

testinfra_hosts = ["ansible://role_hosts"]

SECRETS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets")
AS_APPLICATION = (
    "sudo -u raycrafter RAYCRAFTER_CONFIG=/etc/raycrafter/raycrafter.toml DJANGO_SETTINGS_MODULE=raycrafter.settings"
)
PROGRAMS = "/opt/raycrafter/current/venv/bin"
MANAGE = f"{AS_APPLICATION} {PROGRAMS}/raycrafter-manage"
ASK = (
    "curl -s --unix-socket /run/raycrafter/gunicorn.sock -w '%{stderr}%{http_code}' "
    "-H 'Host: render.example.org' -H 'X-Forwarded-Proto: https' http://localhost"
)


@pytest.fixture(autouse=True)
def as_root(host):
    with host.sudo():
        yield


def ask(host, path: str, options: str = "") -> tuple[int, dict]:
    """Return status and JSON over gunicorn's socket; status 0 without an answer."""
    run = host.run(f"{ASK}{path} {options}")
    return int(run.stderr), json.loads(run.stdout or "{}")


def sign_in(host, password: str) -> int:
    body = json.dumps({"username": "tester", "password": password})
    return ask(host, "/api/v1/auth/login", f"-H 'Content-Type: application/json' -d '{body}'")[0]


def test_health_check_reports_all_parts_ok(host):
    assert ask(host, "/healthz") == (200, {"database": "ok", "broker": "ok", "cache": "ok"})


def test_user_signs_in_with_the_latest_password_only(host):
    assert sign_in(host, (SECRETS / "user-later").read_text().strip()) == 200
    assert sign_in(host, (SECRETS / "user").read_text().strip()) in {400, 401, 403}


def test_passwords_are_hashed_with_argon2(host):
    shell = "from django.contrib.auth.models import User; print(User.objects.get(username='tester').password)"
    assert host.check_output(f'{MANAGE} shell -v 0 -c "{shell}"').startswith("argon2$argon2id$")


def test_each_migration_was_applied_once(host):
    assert host.run(f"{MANAGE} migrate --check").rc == 0
    shell = (
        "from django.db.migrations.recorder import MigrationRecorder as M; "
        "done = list(M.Migration.objects.values_list('app', 'name')); print(len(done) - len(set(done)), len(done) > 10)"
    )
    assert host.check_output(f'{MANAGE} shell -v 0 -c "{shell}"') == "0 True"


def test_concurrent_transactions_do_not_deadlock(host):
    """Run the race tests on PostgreSQL; unit tests use SQLite, which serialises."""
    races = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], "raycrafter/tests/races.py").read_text()
    raced = host.run(f"{AS_APPLICATION} RAYCRAFTER_LOG_LEVEL=ERROR {PROGRAMS}/python -c %s", races)
    assert raced.rc == 0, raced.stderr


def test_only_the_newest_releases_are_kept(host):
    current = host.check_output("basename $(readlink -f /opt/raycrafter/current)")
    kept = set(host.check_output("ls /opt/raycrafter/releases").split())
    assert kept == {current, "0.0.4-0123456789ab", "0.0.3-0123456789ab"}


def test_gunicorn_stays_within_the_memory_limit(host):
    master = host.check_output("supervisorctl pid raycrafter-web")
    workers = host.check_output(f"pgrep -P {master}").split()
    assert len(workers) == 2
    used = host.check_output(f"cat /proc/{master}/status {' '.join(f'/proc/{w}/status' for w in workers)} | grep VmRSS")
    assert sum(int(line.split()[1]) for line in used.splitlines()) / 1024 < 600, used


def test_secrets_are_readable_by_the_application_only(host):
    settings = host.file("/etc/raycrafter/raycrafter.toml")
    assert (settings.user, settings.group, settings.mode) == ("root", "raycrafter", 0o640)
    processes = host.check_output("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'")
    logs = host.check_output("cat /var/log/raycrafter/* /var/log/supervisor/*")
    for name in ("database", "broker", "key", "user", "user-later"):
        secret = (SECRETS / name).read_text().strip()
        assert secret not in processes, name
        assert secret not in logs, name


def test_reload_loses_no_request(host):
    script = Path(__file__).with_name("load.py").read_text()
    load_result = json.loads(host.check_output("python3 -c %s", script))
    assert load_result["wrong"] == []
    assert load_result["answers"] > 20


def test_gunicorn_restarts_after_kill(host):
    before = host.check_output("supervisorctl pid raycrafter-web")
    host.check_output(f"kill -9 {before}")
    wait_for(
        "gunicorn runs again",
        lambda: (
            host.run("supervisorctl pid raycrafter-web").stdout.strip() not in {"0", before}
            and ask(host, "/healthz")[0] == 200
        ),
    )
