"""The worker, the only host with a key for the cluster."""

from __future__ import annotations

from scenario import wait_for
from service import as_root

testinfra_hosts = [as_root("worker1")]
PYTHON = "/opt/raycrafter/current/venv/bin/python"


def test_database_requires_tls(host):
    plain = "host=master1 user=raycrafter dbname=raycrafter password=x sslmode=disable connect_timeout=5"
    refused = host.run(f"{PYTHON} -c \"import psycopg; psycopg.connect('{plain}')\"")
    assert refused.rc != 0
    assert "no encryption" in refused.stderr


def test_only_ssh_listens_on_the_network(host):
    open_to_all = [
        line.split()[3]
        for line in host.check_output("ss -H -ltn").splitlines()
        if not line.split()[3].startswith(("127.", "[::1]"))
    ]
    assert {address.rsplit(":", 1)[1] for address in open_to_all} == {"22"}


def test_cluster_key_is_readable_by_its_user_only(host):
    key = host.file("/etc/raycrafter/cluster/id_ed25519")
    assert (key.user, key.mode) == ("raycrafter", 0o400)
    assert host.run("sudo -u nobody cat /etc/raycrafter/cluster/id_ed25519").rc != 0


def test_unknown_host_key_is_refused(host):
    # Only the login node's keys are pinned: the worker's own sshd must be refused.
    command = "ssh -F /etc/raycrafter/cluster/ssh_config -o ControlPath=none -o HostName=127.0.0.1 cluster true"
    refused = host.run(f"sudo -u raycrafter {command} || echo refused")
    assert refused.stdout == "refused\n"
    assert "Host key verification failed" in refused.stderr


def test_service_certificate_is_refused_by_the_cluster_input(host):
    # timeout ends the connection of an accepted client (124); a refused client gets a TLS alert.
    tls = "-CAfile ca.crt -cert host.crt -key host.key"
    command = f"tail -f /dev/null | timeout 10 openssl s_client -quiet {tls} -connect logging1:"
    services = host.run(f"cd /etc/raycrafter/tls && {command}12201")
    cluster = host.run(f"cd /etc/raycrafter/tls && {command}12202")
    assert services.rc == 124, services.stderr
    assert "alert" in cluster.stderr


def test_celery_worker_restarts_after_kill(host):
    old = host.check_output("supervisorctl pid raycrafter-worker-ssh")
    host.check_output(f"kill -9 {old}")
    wait_for(
        "Supervisor started the worker again",
        lambda: host.run("supervisorctl pid raycrafter-worker-ssh").stdout.strip() not in {old, "0"},
        60,
    )


def test_proxy_certificate_is_valid(host):
    seconds = host.check_output("sudo -u raycrafter grid-proxy-info -timeleft -file /var/lib/raycrafter/grid/proxy.pem")
    assert int(seconds) > 3600
