"""nginx lets in whom it should, over TLS, and hands requests to whichever web host answers."""

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
# Knows the hosts' authority and shows no certificate; CERTIFICATE shows the host's own.
CURL = f"curl -s -w '%{{stderr}}%{{http_code}}' --cacert {TLS}/ca.crt"
CERTIFICATE = f"--cert {TLS}/host.crt --key {TLS}/host.key"


def curl(host, options: str) -> tuple[int, str]:
    """Return status and body of a request that the host makes as root."""
    with host.sudo():
        run = host.run(f"{CURL} {options}")
    return int(run.stderr), run.stdout


@pytest.fixture
def address(host) -> str:
    return host.ansible.get_variables()["ansible_host"]


@pytest.fixture
def ask(host, address):
    """Ask the host from outside by one of its names; redirects are not followed."""

    def ask(path: str, method: str = "GET", name: str = "render.example.org", scheme: str = "https", **headers: str):
        with httpx.Client(verify=ssl.create_default_context(cafile=CA), timeout=20) as client:
            request = client.build_request(method, f"{scheme}://{address}{path}", headers={"Host": name, **headers})
            request.extensions["sni_hostname"] = host.backend.host
            return client.send(request)

    return ask


def wait_for_both(name: str) -> None:
    """Return when a host's nginx sends requests to both hosts: one that was away is asked again after ten seconds."""

    def told() -> bool:
        seen = [curl(connected(name), f"https://{name}/jobs") for _ in range(4)]
        return {json.loads(body)["host"] for status, body in seen if status == 200} == HOSTS

    wait_for(f"{name} sends requests to both", told)


@pytest.fixture
def stopped_application(host):
    """The stand-in for Django does not run on the host for the time of a test."""
    with host.sudo():
        host.check_output("systemctl stop stub")
    yield
    with host.sudo():
        host.check_output("systemctl start stub")
    wait_for_both(host.backend.host)


def test_every_web_host_gets_requests_and_is_told_who_called(ask, address):
    answers = [ask("/jobs?page=1", **{"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http"}) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    told = [answer.json() for answer in answers]
    assert {one["host"] for one in told} == HOSTS
    ours = f"{address.rpartition('.')[0]}.1"
    for one in told:
        headers = one["headers"]
        assert one["path"] == "/jobs?page=1" and headers["Host"] == "render.example.org"
        assert (headers["X-Forwarded-For"], headers["X-Real-IP"], headers["X-Forwarded-Proto"]) == (ours, ours, "https")


def test_below_a_path_of_uploads_and_at_it_the_application_answers(ask):
    assert [ask(path, "POST").status_code for path in ("/api/v1/uploads", "/api/v1/uploads/1")] == [201, 201]


def test_when_the_application_is_away_the_other_host_answers(host, ask, stopped_application):
    answers = [ask("/jobs") for _ in range(20)]
    assert [answer.status_code for answer in answers] == [200] * 20
    assert {answer.json()["host"] for answer in answers} == HOSTS - {host.backend.host}
    # What may not be repeated is not lost either, once it is known who does not answer.
    assert [ask("/jobs", "POST").status_code for _ in range(5)] == [201] * 5


def test_when_nginx_is_away_the_other_host_serves_alone(host, address):
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


def test_the_backend_is_for_web_hosts_alone(host):
    url = f"https://{host.backend.host}:8445/jobs"
    assert curl(host, url)[0] == 400
    assert curl(host, f"{CERTIFICATE} {url}")[0] == 200


def test_files_that_the_application_lets_it_send(ask):
    for answer in [ask("/frame") for _ in range(4)]:
        assert (answer.status_code, answer.text, answer.headers["X-Checksum-Sha256"]) == (200, "frame", "abc")
        assert answer.headers["Content-Type"].startswith("image/png")
        assert len(answer.headers.get_list("Strict-Transport-Security")) == 1
    assert ask("/frame", Range="bytes=1-2").text == "ra"
    assert ask("/protected/frame.png").status_code == 404
    static = ask("/static/style.0123456789ab.css")
    assert static.text == "static" and "immutable" in static.headers["Cache-Control"]


def test_the_file_store_is_for_those_with_a_certificate(host):
    url = f"https://{host.backend.host}:8444/jobs/1/scene.txt"
    assert curl(host, url)[0] == 400
    assert curl(host, f"{CERTIFICATE} https://{host.backend.host}:8444/none")[0] == 404
    assert curl(host, f"-T /etc/hostname {CERTIFICATE} {url}")[0] in {201, 204}
    assert curl(host, f"{CERTIFICATE} {url}") == (200, f"{host.backend.host}\n")
    assert curl(host, f"-X DELETE {CERTIFICATE} {url}")[0] == 204


def test_flower_is_for_staff(ask):
    nobody = ask("/flower/tasks")
    assert (nobody.status_code, nobody.headers["Location"]) == (302, "/login/?next=/flower/")
    assert ask("/flower/tasks", Cookie="role=user").status_code == 403
    staff = ask("/flower/tasks?page=2", Cookie="role=staff")
    assert staff.status_code == 200
    assert (staff.json()["service"], staff.json()["path"]) == ("flower", "/flower/tasks?page=2")
    assert ask("/_staff", Cookie="role=staff").status_code == 404


def test_plain_http_leads_to_https(ask):
    answer = ask("/jobs?page=1", scheme="http")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://render.example.org/jobs?page=1")
    assert "max-age=31536000" in ask("/").headers["Strict-Transport-Security"]


def test_names_that_no_site_has_are_refused(ask):
    assert {ask("/", name="evil.example.org", scheme=scheme).status_code for scheme in ("http", "https")} == {421}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("port", [443, 8444, 8445, 9443])
def test_tls_is_1_2_or_1_3(address, port):
    def version(highest: ssl.TLSVersion) -> str | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(CA)
        # As lenient as can be, so that it is the server who refuses.
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


def test_passwords_cannot_be_guessed(ask):
    assert 429 in {ask("/login/", "POST").status_code for _ in range(30)}


def test_what_it_refuses_itself_below_api_is_a_problem_in_json(host, ask, stopped_application):
    """Whether the site refuses (413, 429) or the backend does (502); pages get nginx's own page."""
    name = host.backend.host
    host.check_output("head -c 2000000 /dev/zero >/tmp/large")
    site, backend = f"-H Expect: --data-binary @/tmp/large https://{name}", f"{CERTIFICATE} https://{name}:8445"
    logins = [curl(host, f"-d x https://{name}/api/v1/auth/login") for _ in range(30)]
    for status, (code, body) in (
        (413, curl(host, f"{site}/api/v1/client/events")),
        (502, curl(host, f"{backend}/api/v1/jobs")),
        (429, next(answer for answer in logins if answer[0] == 429)),
    ):
        told = json.loads(body)
        assert (code, told["status"], told["type"], told["errors"]) == (status, status, "about:blank", [])
    for status, (code, body) in ((413, curl(host, f"{site}/jobs/1")), (502, curl(host, f"{backend}/"))):
        assert code == status and "<html>" in body
    kinds = {ask("/api/v1/auth/login", "POST").headers.get("Content-Type") for _ in range(30)}
    assert "application/problem+json" in kinds


def test_it_has_the_processes_that_the_host_has_processors(host):
    with host.sudo():
        workers = host.check_output("pgrep -f 'nginx: worker process$'").split()
    assert len(workers) == int(host.check_output("nproc"))


def test_the_log_is_json_and_goes_on_after_its_rotation(host, ask):
    with host.sudo():
        host.check_output("logrotate --force /etc/logrotate.d/nginx")

        def logged() -> dict[str, dict]:
            # Again each time: the workers may not have opened the new file yet.
            assert ask("/marked?secret").status_code == ask("/frame").status_code == 200
            lines = host.check_output("cat /var/log/nginx/access.log").splitlines()
            entries = {entry["_path"]: entry for entry in map(json.loads, lines)}
            # What nginx sends in the application's name is told by the address that was asked for.
            return entries if {"/marked", "/frame"} <= entries.keys() else {}

        entries = wait_for("both are in the log", logged)
    entry = entries["/marked"]
    assert (entry["_status"], entry["_site"]) == (200, "application")
    assert entry["_upstream"].endswith(":8445")
    assert "secret" not in json.dumps(entry)


def test_it_comes_back_when_it_dies(host, ask):
    with host.sudo():
        before = host.check_output("systemctl show -P MainPID nginx")
        host.check_output(f"kill -9 {before}")
        wait_for("it runs again", lambda: host.check_output("systemctl show -P MainPID nginx") not in {"0", before})
    wait_for("it listens", lambda: host.socket("tcp://0.0.0.0:443").is_listening)
    assert ask("/").status_code == 200
