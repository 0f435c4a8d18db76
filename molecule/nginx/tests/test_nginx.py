"""Test access over TLS, load balancing, file transfer, limits and logs."""

from __future__ import annotations

import json
import os
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from scenario import connected, wait_for

CA = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki/ca.crt")
TLS = "/etc/raycrafter/tls"
HOSTS = {"older", "newer"}
# Trusts the hosts' CA and presents no certificate; CERTIFICATE presents the host's own.
CURL = f"curl -s -w '%{{stderr}}%{{http_code}}' --cacert {TLS}/ca.crt"
CERTIFICATE = f"--cert {TLS}/host.crt --key {TLS}/host.key"


def curl(host, options: str) -> tuple[int, str]:
    """Send a request from the host as root; return status and body."""
    with host.sudo():
        run = host.run(f"{CURL} {options}")
    return int(run.stderr), run.stdout


@pytest.fixture
def address(host) -> str:
    return host.ansible.get_variables()["ansible_host"]


@pytest.fixture
def ask(host, address):
    """Return a function that sends a request to the host by one of its names.

    The function does not follow redirects.
    """

    def ask(path: str, method: str = "GET", name: str = "render.example.org", scheme: str = "https", **headers: str):
        with httpx.Client(verify=ssl.create_default_context(cafile=CA), timeout=20) as client:
            request = client.build_request(method, f"{scheme}://{address}{path}", headers={"Host": name, **headers})
            request.extensions["sni_hostname"] = host.backend.host
            return client.send(request)

    return ask


def wait_for_both(name: str) -> None:
    """Wait until nginx of a host uses both hosts again, ten seconds after an outage."""

    def uses_both() -> bool:
        seen = [curl(connected(name), f"https://{name}/jobs") for _ in range(4)]
        return {json.loads(body)["host"] for status, body in seen if status == 200} == HOSTS

    wait_for(f"{name} sends requests to both hosts", uses_both)


@pytest.fixture
def stopped_application(host):
    """Stop the stand-in for Django on the host during a test."""
    with host.sudo():
        host.check_output("systemctl stop stub")
    yield
    with host.sudo():
        host.check_output("systemctl start stub")
    wait_for_both(host.backend.host)


def test_requests_reach_every_web_host_with_the_client_address(ask, address):
    answers = [ask("/jobs?page=1", **{"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http"}) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    requests = [answer.json() for answer in answers]
    assert {request["host"] for request in requests} == HOSTS
    ours = f"{address.rpartition('.')[0]}.1"
    for request in requests:
        headers = request["headers"]
        assert request["path"] == "/jobs?page=1" and headers["Host"] == "render.example.org"
        assert (headers["X-Forwarded-For"], headers["X-Real-IP"], headers["X-Forwarded-Proto"]) == (ours, ours, "https")


def test_upload_path_and_paths_below_reach_the_application(ask):
    assert [ask(path, "POST").status_code for path in ("/api/v1/uploads", "/api/v1/uploads/1")] == [201, 201]


def test_other_host_answers_while_the_application_is_stopped(host, ask, stopped_application):
    answers = [ask("/jobs") for _ in range(20)]
    assert [answer.status_code for answer in answers] == [200] * 20
    assert {answer.json()["host"] for answer in answers} == HOSTS - {host.backend.host}
    # POST is never repeated, but nginx avoids the failed host by now.
    assert [ask("/jobs", "POST").status_code for _ in range(5)] == [201] * 5


def test_other_host_serves_alone_while_nginx_is_stopped(host, address):
    other = (HOSTS - {host.backend.host}).pop()
    with host.sudo():
        host.check_output("systemctl stop nginx")
    try:
        codes = {curl(connected(other), f"-X {method} -d x https://{other}/jobs")[0] for method in ["GET", "POST"] * 5}
    finally:
        with host.sudo():
            host.check_output("systemctl start nginx")
    assert codes == {200, 201}
    wait_for_both(other)


def test_backend_requires_a_client_certificate(host):
    url = f"https://{host.backend.host}:8445/jobs"
    assert curl(host, url)[0] == 400
    assert curl(host, f"{CERTIFICATE} {url}")[0] == 200


def test_nginx_sends_files_for_the_application(ask):
    for answer in [ask("/frame") for _ in range(4)]:
        assert (answer.status_code, answer.text, answer.headers["X-Checksum-Sha256"]) == (200, "frame", "abc")
        assert answer.headers["Content-Type"].startswith("image/png")
        assert len(answer.headers.get_list("Strict-Transport-Security")) == 1
    assert ask("/frame", Range="bytes=1-2").text == "ra"
    assert ask("/protected/frame.png").status_code == 404
    static = ask("/static/style.0123456789ab.css")
    assert static.text == "static" and "immutable" in static.headers["Cache-Control"]


def test_file_store_requires_a_client_certificate(host):
    url = f"https://{host.backend.host}:8444/jobs/1/scene.txt"
    assert curl(host, url)[0] == 400
    assert curl(host, f"{CERTIFICATE} https://{host.backend.host}:8444/none")[0] == 404
    assert curl(host, f"-T /etc/hostname {CERTIFICATE} {url}")[0] in {201, 204}
    assert curl(host, f"{CERTIFICATE} {url}") == (200, f"{host.backend.host}\n")
    assert curl(host, f"-X DELETE {CERTIFICATE} {url}")[0] == 204


def test_flower_requires_staff(ask):
    nobody = ask("/flower/tasks")
    assert (nobody.status_code, nobody.headers["Location"]) == (302, "/login/?next=/flower/")
    assert ask("/flower/tasks", Cookie="role=user").status_code == 403
    staff = ask("/flower/tasks?page=2", Cookie="role=staff")
    assert staff.status_code == 200
    assert (staff.json()["service"], staff.json()["path"]) == ("flower", "/flower/tasks?page=2")
    assert ask("/_staff", Cookie="role=staff").status_code == 404


def test_plain_http_redirects_to_https(ask):
    answer = ask("/jobs?page=1", scheme="http")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://render.example.org/jobs?page=1")
    assert "max-age=31536000" in ask("/").headers["Strict-Transport-Security"]


def test_unknown_names_are_refused(ask):
    assert {ask("/", name="evil.example.org", scheme=scheme).status_code for scheme in ("http", "https")} == {421}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("port", [443, 8444, 8445, 9443])
def test_tls_1_1_is_refused(address, port):
    def version(highest: ssl.TLSVersion) -> str | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(CA)
        # Accept every cipher and version, so that only the server can refuse.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest
        with (
            socket.create_connection((address, port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=address) as encrypted,
        ):
            return encrypted.version()

    assert version(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert version(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        version(ssl.TLSVersion.TLSv1_1)


def test_login_attempts_are_limited(ask):
    assert 429 in {ask("/login/", "POST").status_code for _ in range(30)}


def test_nginx_errors_below_api_are_json_problems(host, ask, stopped_application):
    """Test errors of the site (413, 429) and the backend (502), and other paths."""
    name = host.backend.host
    host.check_output("head -c 2000000 /dev/zero >/tmp/large")
    site, backend = f"-H Expect: --data-binary @/tmp/large https://{name}", f"{CERTIFICATE} https://{name}:8445"
    logins = [curl(host, f"-d x https://{name}/api/v1/auth/login") for _ in range(30)]
    for status, (code, body) in (
        (413, curl(host, f"{site}/api/v1/client/events")),
        (502, curl(host, f"{backend}/api/v1/jobs")),
        (429, next(answer for answer in logins if answer[0] == 429)),
    ):
        problem = json.loads(body)
        assert (code, problem["status"], problem["type"], problem["errors"]) == (status, status, "about:blank", [])
    for status, (code, body) in ((413, curl(host, f"{site}/jobs/1")), (502, curl(host, f"{backend}/"))):
        assert code == status and "<html>" in body
    kinds = {ask("/api/v1/auth/login", "POST").headers.get("Content-Type") for _ in range(30)}
    assert "application/problem+json" in kinds


def test_nginx_runs_one_worker_per_processor(host):
    with host.sudo():
        workers = host.check_output("pgrep -f 'nginx: worker process$'").split()
    assert len(workers) == int(host.check_output("nproc"))


def test_access_log_is_json_and_continues_after_rotation(host, ask):
    with host.sudo():
        host.check_output("logrotate --force /etc/logrotate.d/nginx")

        def logged() -> dict[str, dict]:
            # Send the requests again each time: the workers may not have opened the new file yet.
            assert ask("/marked?secret").status_code == ask("/frame").status_code == 200
            lines = host.check_output("cat /var/log/nginx/access.log").splitlines()
            entries = {entry["_path"]: entry for entry in map(json.loads, lines)}
            # The log has the requested path of a file that nginx sends for the application.
            return entries if {"/marked", "/frame"} <= entries.keys() else {}

        entries = wait_for("both requests are in the log", logged)
    entry = entries["/marked"]
    assert (entry["_status"], entry["_site"]) == (200, "application")
    assert entry["_upstream"].endswith(":8445")
    assert "secret" not in json.dumps(entry)


def test_nginx_restarts_after_kill(host, ask):
    with host.sudo():
        before = host.check_output("systemctl show -P MainPID nginx")
        host.check_output(f"kill -9 {before}")
        wait_for("nginx runs again", lambda: host.check_output("systemctl show -P MainPID nginx") not in {"0", before})
    wait_for("nginx listens", lambda: host.socket("tcp://0.0.0.0:443").is_listening)
    assert ask("/").status_code == 200
