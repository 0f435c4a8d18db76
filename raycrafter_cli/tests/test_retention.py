"""Test workspace extensions, kept jobs and notifications."""

import json

import httpx


def test_extend_is_sent_once(rc, service):
    service.add(5)
    assert "until 2030-05-09" in rc("extend", 5).output
    service.faults = [httpx.ConnectError("away")]
    rc("extend", 5, code=2)
    assert len([request for request in service.requests if request.url.path.endswith("/extend")]) == 2


def test_keep_sets_and_clears_the_exemption(rc, service):
    service.add(5)
    assert rc("keep", 5).output == "Job 5 is kept.\n"
    assert "kept until 2030-06-01" in rc("keep", 5, "--off").output
    assert service.jobs[5]["keep"] is False


def test_notify_shows_and_changes_settings(rc, service):
    assert rc("notify").output == "Mail: to alice@example.org\nWebhook: none\n"
    assert service.requests[-1].method == "GET"
    output = rc("notify", "--no-mail", "--webhook", "https://chat.example.org/hook").output
    assert "Mail: no\n" in output and "shown only once: hush" in output
    assert json.loads(service.requests[-1].content) == {"mail": False, "webhook": "https://chat.example.org/hook"}
    rc("notify", "--webhook", "")
    assert json.loads(service.requests[-1].content) == {"webhook": ""}
