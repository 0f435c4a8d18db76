"""Graylog's inputs run encrypted, refuse unknown clients, and do not use UDP."""

from __future__ import annotations

import socket
import ssl

import pytest
from service import ADDRESS, LOGGING, ON_ONE_HOST, as_root

from lab.copy_inventory import directory

testinfra_hosts = [as_root(LOGGING)]
PKI = directory() / "pki"


def test_all_inputs_run(graylog):
    states = graylog.get("system/inputstates").json()["states"]
    assert {(state["message_input"]["attributes"]["port"], state["state"]) for state in states} == {
        (12201, "RUNNING"),
        (12202, "RUNNING"),
        (12203, "RUNNING"),
        (12204, "RUNNING"),
    }
    assert not [state for state in states if "udp" in state["message_input"]["type"].lower()]


def exchange(context: ssl.SSLContext, port: int, timeout: float = 30) -> bytes:
    """Return the first byte after the handshake, or b"" at the end of the connection.

    With TLS 1.3 a refused certificate shows only when the client reads.
    """
    with (
        socket.create_connection((ADDRESS[LOGGING], port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=LOGGING) as encrypted,
    ):
        encrypted.settimeout(timeout)
        return encrypted.recv(1)


def client(cert: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=PKI / "ca.crt")
    if cert:
        context.load_cert_chain(PKI / f"{cert}.crt", PKI / f"{cert}.key")
    return context


def test_cluster_certificate_is_accepted_by_the_cluster_input():
    with pytest.raises(TimeoutError):  # accepted: the input waits for a message
        exchange(client("cluster-client"), 12202, timeout=3)


def test_client_without_certificate_is_refused():
    with pytest.raises(ssl.SSLError):
        exchange(client(None), 12202)


def test_only_inputs_and_pages_listen_on_the_network(host):
    open_to_all = {
        int(line.split()[3].rsplit(":", 1)[1])
        for line in host.check_output("ss -H -ltn").splitlines()
        if not line.split()[3].startswith(("127.", "[::1]", "[::ffff:127."))
    }
    others = {5432, 5671, 8444} if ON_ONE_HOST else set()
    assert open_to_all == {22, 443, 80, 12201, 12202, 12203, 12204} | others
