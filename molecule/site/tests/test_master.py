"""Web pages, REST API, database and broker of the master."""

from __future__ import annotations

import httpx
from scenario import wait_for
from service import ADDRESS, ON_ONE_HOST, as_root

testinfra_hosts = [as_root("master1")]
MASTER = ADDRESS["master1"]


def healthy(tls) -> bool:
    return httpx.get(f"https://{MASTER}/healthz", verify=tls).status_code == 200


def test_health_check_reports_all_parts_ok(tls):
    answer = httpx.get(f"https://{MASTER}/healthz", verify=tls)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"database": "ok", "broker": "ok", "cache": "ok"}


def test_http_redirects_to_https():
    answer = httpx.get(f"http://{MASTER}/")
    assert answer.status_code == 301
    assert answer.headers["location"].startswith("https://")


def test_pages_require_a_login(tls):
    answer = httpx.get(f"https://{MASTER}/", verify=tls)
    assert answer.status_code == 302
    assert "/login" in answer.headers["location"]


def test_api_schema_is_served(api):
    answer = api.get("schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert "/api/v1/jobs" in answer.text


def test_gunicorn_restarts_after_kill_and_logs_it(host, tls, found):
    old = host.check_output("supervisorctl pid raycrafter-web")
    host.check_output(f"kill -9 {old}")
    wait_for(
        "gunicorn serves again",
        lambda: host.run("supervisorctl pid raycrafter-web").stdout.strip() not in {old, "0"} and healthy(tls),
        60,
    )
    wait_for("the event is found in Graylog", lambda: found(f'source:master1 AND "{old}" AND raycrafter-web') >= 1)


def test_only_encrypted_ports_listen(host):
    listening = {
        int(line.split()[3].rsplit(":", 1)[1])
        for line in host.check_output("ss -H -ltn").splitlines()
        if not line.split()[3].startswith(("127.", "[::1]"))
    }
    others = {12201, 12202, 12203, 12204} if ON_ONE_HOST else set()
    assert listening == {22, 80, 443, 5432, 5671, 8444} | others


def test_protected_files_are_not_served_directly(tls):
    assert httpx.get(f"https://{MASTER}/protected/jobs/", verify=tls).status_code == 404
