"""PostgreSQL accepts owners over TLS with a password, and keeps their data."""

import os
import time
from pathlib import Path

SECRETS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets")
OWNER = "raycrafter"
ENCRYPTED = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"


def ask(host, query, server="localhost", file=OWNER, database=OWNER, sslmode="verify-full"):
    """Run a query as the owner with the password in `file`. Return testinfra's result."""
    address = f"host={server} dbname={database} user={OWNER} sslmode={sslmode} sslrootcert=/etc/raycrafter/tls/ca.crt"
    password = (SECRETS / file).read_text().strip()
    return host.run("PGPASSWORD=%s PGCONNECT_TIMEOUT=5 psql --no-psqlrc -qtAc %s %s", password, query, address)


def setting(host, name):
    """Return the value of a setting of the running server."""
    with host.sudo("postgres"):
        return host.check_output("psql --no-psqlrc -qtAc %s", f"SHOW {name}")


def process(host):
    """Return the PID of the postmaster."""
    with host.sudo():
        return host.check_output("head -n 1 /run/postgresql/*-main.pid")


def test_owner_logs_in_with_the_changed_password_only(host):
    assert ask(host, ENCRYPTED).stdout.startswith("TLSv1.")
    refused = ask(host, ENCRYPTED, file="former")
    assert refused.rc != 0 and "password authentication failed" in refused.stderr


def test_login_without_tls_is_refused(host):
    refused = ask(host, ENCRYPTED, sslmode="disable")
    assert refused.rc != 0 and "no encryption" in refused.stderr


def test_owner_logs_in_from_client_addresses_only(host):
    """The newer host is a client of the older one, but not the other way round."""
    if host.backend.get_hostname() == "newer":
        assert ask(host, ENCRYPTED, server="older").stdout.startswith("TLSv1.")
    else:
        refused = ask(host, ENCRYPTED, server="newer")
        assert refused.rc != 0 and "no pg_hba.conf entry" in refused.stderr


def test_owner_cannot_log_in_to_other_databases(host):
    refused = ask(host, ENCRYPTED, database="other")
    assert refused.rc != 0 and "no pg_hba.conf entry" in refused.stderr


def test_settings_follow_from_the_memory(host):
    assert setting(host, "max_connections") == "50"
    assert setting(host, "shared_buffers") == "400MB"
    assert setting(host, "effective_cache_size") == "1200MB"
    assert setting(host, "work_mem") == "8MB"
    assert setting(host, "maintenance_work_mem") == "77MB", "postgresql_settings_extra"
    with host.sudo():
        limits = host.check_output(f"grep -h 'open files' /proc/1/limits /proc/{process(host)}/limits").splitlines()
    most, given = [int(line.split()[4]) for line in limits]
    assert given == min(4096, most)  # a container cannot give more than it has


def test_log_goes_to_the_journal_only_without_passwords(host):
    mark = f"mark {time.time()}"
    assert ask(host, f"SELECT '{mark}'").stdout.strip() == mark
    with host.sudo():
        journal = host.check_output("journalctl --sync; journalctl --no-pager --identifier postgresql")
        assert mark in journal
        assert host.run("grep -rF %s /var/log/postgresql", mark).rc == 1
    assert "CREATE DATABASE" in journal, "statements of the first deployment"
    for file in (OWNER, "former", "neighbour"):
        assert (SECRETS / file).read_text().strip() not in journal


def test_committed_rows_survive_a_kill(host):
    before = process(host)
    assert ask(host, "CREATE TABLE frames AS SELECT 7 AS number").rc == 0
    with host.sudo():
        host.check_output(f"kill -9 {before}")
    end = time.monotonic() + 60
    while (answer := ask(host, "SELECT number FROM frames")).rc != 0:
        assert time.monotonic() < end, answer.stderr
        time.sleep(0.2)
    assert answer.stdout.strip() == "7"
    assert ask(host, "DROP TABLE frames").rc == 0
    assert process(host) != before
