"""RabbitMQ keeps confirmed messages and requires certificate and password."""

import json
import os
import ssl
import subprocess
from pathlib import Path

import amqp
import pytest
from scenario import wait_for

SECRETS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets")
MIB = 1024 * 1024
QUEUE = "kept"


@pytest.fixture
def tls(host, tmp_path):
    """Return the host's own certificate, key and CA as options of amqp."""
    files = {"ca_certs": "ca.crt", "certfile": "host.crt", "keyfile": "host.key"}
    with host.sudo():
        for name in files.values():
            (tmp_path / name).write_text(host.check_output(f"cat /etc/raycrafter/tls/{name}"))
    shown = {option: str(tmp_path / name) for option, name in files.items()}
    return shown | {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": host.backend.get_hostname()}


@pytest.fixture
def log_in(host, tls):
    """Return a function that logs in; its keywords override TLS options."""
    address = host.ansible.get_variables()["ansible_host"]

    def connect(file="raycrafter", vhost="raycrafter", **tls_options):
        connection = amqp.Connection(
            host=f"{address}:5671",
            userid="raycrafter",
            password=(SECRETS / file).read_text().strip(),
            virtual_host=vhost,
            ssl=tls | tls_options,
            connect_timeout=10,
        )
        connection.connect()
        return connection

    return connect


def test_user_logs_in_with_the_changed_password_only(log_in):
    with log_in():
        pass
    with pytest.raises(amqp.AccessRefused):
        log_in(file="former")


def test_user_cannot_open_other_virtual_hosts(log_in):
    with pytest.raises(amqp.NotAllowed):
        log_in(vhost="other")


def test_client_without_our_certificate_is_refused(log_in, tmp_path):
    with pytest.raises(OSError):
        log_in(certfile=None, keyfile=None)
    stranger = {"certfile": str(tmp_path / "stranger.crt"), "keyfile": str(tmp_path / "stranger.key")}
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger"]
    command += ["-out", stranger["certfile"], "-keyout", stranger["keyfile"]]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(OSError):
        log_in(**stranger)


def test_journal_contains_no_password(host):
    with host.sudo():
        assert (SECRETS / "raycrafter").read_text().strip() not in host.check_output("journalctl --no-pager")


def test_guest_is_removed(host):
    with host.sudo():
        users = json.loads(host.check_output("rabbitmqctl --quiet list_users --formatter json"))
    assert {user["user"]: user["tags"] for user in users} == {"raycrafter": [], "watcher": ["monitoring"]}


def test_amqps_is_the_only_open_port(host):
    with host.sudo():
        tcp = host.check_output("ss -Hltnp").splitlines()
        udp = host.check_output("ss -Hlunp").splitlines()
    open_ports = {line.split()[3].rsplit(":", 1)[1] for line in tcp if not line.split()[3].startswith("127.")}
    assert open_ports == {"22", "5671"}
    assert not [line for line in udp if "users:" in line]


def test_limits_follow_from_the_memory(host):
    with host.sudo():
        status = json.loads(host.check_output("rabbitmqctl --quiet status --formatter json"))
        limits = host.check_output("grep -h 'open files' /proc/1/limits /proc/$(pidof beam.smp)/limits").splitlines()
    assert status["vm_memory_high_watermark_limit"] == 400 * MIB
    assert status["disk_free_limit"] == 1024 * MIB
    most, given = [int(line.split()[4]) for line in limits]
    assert given == min(65536, most)  # a container cannot give more than it has


def test_consumer_timeout_is_one_day(host):
    with host.sudo():
        asked = "rabbitmqctl --quiet eval '{ok, Limit} = application:get_env(rabbit, consumer_timeout), Limit.'"
        assert int(host.check_output(asked)) == 24 * 60 * 60 * 1000


def test_log_goes_to_the_journal_only(host, log_in):
    with log_in() as connection:
        opened = connection.transport.sock.getsockname()[1]
    with host.sudo():
        wait_for(
            "the connection is logged",
            lambda: f":{opened} " in host.check_output("journalctl --no-pager --identifier rabbitmq-server"),
        )
        assert host.check_output("find /var/log/rabbitmq -size +0 | grep -v '^/var/log/rabbitmq$' || true") == ""


def test_confirmed_messages_survive_a_kill(host, log_in):
    with log_in() as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        with host.sudo():
            # A confirmed message is on disk at once; Mnesia writes a new queue only seconds later.
            host.run("rabbitmqctl eval 'mnesia:sync_log().'")
        channel.basic_publish_confirm(amqp.Message("a frame", delivery_mode=2), routing_key=QUEUE, timeout=10)
    with host.sudo():
        before = host.check_output("systemctl show -P MainPID rabbitmq-server")
        host.check_output(f"kill -9 {before}")

    def reconnect():
        try:
            return log_in()
        except OSError:
            return None

    with wait_for("RabbitMQ accepts a login", reconnect) as connection:
        channel = connection.channel()
        message = channel.basic_get(QUEUE, no_ack=True)
        channel.queue_delete(QUEUE)
    assert message.body == "a frame"
    with host.sudo():
        assert host.check_output("systemctl show -P MainPID rabbitmq-server") not in (before, "0")
