"""Test the self-test as a batch job on a compute node runs it."""

import json
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"


def selftest(*words):
    done = subprocess.run(
        [sys.executable, "-m", "raycrafter_client", "selftest", *words],
        env={"PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout.decode())


def test_selftest_reports_both_connections(rest, log, pki):
    gelf = ["--gelf", f"localhost:{log.port}", "--cert", pki.client[0], "--key", pki.client[1]]
    code, report = selftest("--url", rest.url, "--ca", pki.ca, *gelf)
    assert code == 0
    assert report["ok"] is report["https"]["ok"] is report["gelf"]["ok"] is True
    assert report["https"]["status"] == 200
    assert report["https"]["health"]["database"] == "ok"
    # The message has arrived with the printed id.
    (message,) = log.wait_for(lambda: log.messages)
    assert message["_selftest_id"] == report["gelf"]["selftest_id"]
    assert message["_facility"] == "raycrafter-client"


def test_selftest_uses_gelf_over_http(rest, http_log, pki):
    gelf = ["--gelf", f"localhost:{http_log.port}", "--cert", pki.client[0], "--key", pki.client[1]]
    code, report = selftest("--url", rest.url, "--ca", pki.ca, *gelf, "--gelf-transport", "http")
    assert code == 0
    (message,) = http_log.messages
    assert message["_selftest_id"] == report["gelf"]["selftest_id"]
    http_log.answer = lambda body: 413
    code, report = selftest("--url", rest.url, "--ca", pki.ca, *gelf, "--gelf-transport", "http")
    assert code == 1
    assert "413" in report["gelf"]["error"]


def test_selftest_without_gelf_tests_https_only(rest, pki):
    code, report = selftest("--url", rest.url, "--ca", pki.ca)
    assert code == 0
    assert "gelf" not in report


def test_foreign_client_certificate_fails_the_selftest(rest, log, pki):
    gelf = ["--gelf", f"localhost:{log.port}", "--cert", pki.stranger[0], "--key", pki.stranger[1]]
    code, report = selftest("--url", rest.url, "--ca", pki.ca, *gelf)
    assert code == 1
    assert report["https"]["ok"] is True
    assert report["gelf"]["ok"] is False
    assert log.messages == []


def test_wrong_ca_fails_the_selftest(rest, pki):
    code, report = selftest("--url", rest.url, "--ca", pki.stranger_ca)
    assert code == 1
    assert "CERTIFICATE_VERIFY_FAILED" in report["https"]["error"]


def test_closed_port_fails_the_selftest(rest, pki):
    rest.stop()
    code, report = selftest("--url", rest.url, "--ca", pki.ca)
    assert code == 1
    assert "refused" in report["https"]["error"]


def test_invalid_address_fails_the_selftest(pki):
    code, report = selftest("--url", "http://localhost", "--ca", pki.ca, "--gelf", "localhost")
    assert code == 1
    assert "https://" in report["https"]["error"]
    assert "HOST:PORT" in report["gelf"]["error"]
