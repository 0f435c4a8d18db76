"""Graylog notifies the webhook of events."""

from __future__ import annotations

import json
import secrets
import shlex

from graylog_nodes import send
from scenario import connected, wait_for

# The webhook of molecule.yml: it accepts one call, stores its body and ends.
PORT = 8099
KEPT = "/tmp/alert.json"
RECEIVER = f"""
import http.server
class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        open("{KEPT}", "wb").write(body)
http.server.HTTPServer(("0.0.0.0", {PORT}), Webhook).handle_request()
"""


def test_event_is_sent_to_the_webhook():
    duty = connected("plain", sudo=True)
    # A time limit, so that no process stays behind without a call.
    duty.check_output(f"rm -f {KEPT} && systemd-run --quiet timeout 250 python3 -c {shlex.quote(RECEIVER)}")
    mark = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))
    # Graylog sends one notification per source and hour, and test_content.py sends from the other node.
    send("older", "newer", mark, scenario_frame=3)
    wait_for("the webhook is called", lambda: duty.file(KEPT).exists, 240)
    notification = json.loads(duty.file(KEPT).content_string)
    assert notification["event_definition_title"] == "Frames of the scenario"
    assert mark in json.dumps(notification["backlog"])
