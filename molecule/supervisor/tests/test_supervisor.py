"""Supervisor keeps programs running, once each, and keeps their logs small; only root commands it."""

from scenario import wait_for

LOG = "/var/log/raycrafter/chatter.log"
# Supervisor looks at the size after it has written what it read, and that is at most what a pipe holds.
LARGEST = (64 + 64) * 1024


def pid(host, program: str = "chatter") -> int:
    """Return the process id of a program as Supervisor tells it, 0 when it does not run or nobody tells."""
    told = host.run(f"supervisorctl pid {program}").stdout.strip()
    return int(told) if told.isdigit() else 0


def supervisord(host) -> str:
    return host.check_output("systemctl show -P MainPID supervisor")


def running(host) -> list[int]:
    """Return the ids of all processes that are the program, whoever started them."""
    return [int(word) for word in host.run("pgrep -f '^/usr/bin/python3 -u /usr/local/bin/chatter'").stdout.split()]


def test_the_program_runs_as_its_user_with_what_was_asked_for(host):
    with host.sudo():
        process = f"/proc/{pid(host)}"
        assert host.check_output(f"stat -c %U {process}") == "nobody"
        assert "GREETING=100% sure; yes" in host.check_output(f"tr '\\0' '\\n' <{process}/environ").splitlines()
        open_files = "grep 'open files' /proc/{}/limits"
        # A container's own limit may be lower, and then is what there is.
        most = int(host.check_output(open_files.format(1)).split()[4])
        assert host.check_output(open_files.format(pid(host))).split()[3] == str(min(65536, most))
        # Just after a rotation there is no line yet.
        wait_for("it talks", lambda: host.run(f"tail -n 1 {LOG}").stdout.startswith("100% sure; yes 000"))


def test_its_log_never_outgrows_its_limits(host):
    with host.sudo():
        eldest = wait_for("it is rotated", lambda: host.run(f"stat -c %i {LOG}.2").stdout)
        wait_for("it is rotated once more", lambda: host.run(f"stat -c %i {LOG}.2").stdout not in {"", eldest})
        # A rotation meanwhile may rename a file under find's hands.
        sizes = host.run(f"find {LOG}* -printf '%s\\n'").stdout.split()
        assert 0 < len(sizes) <= 3 and all(int(size) <= LARGEST for size in sizes), sizes
        assert not host.run(f"sudo -u daemon cat {LOG}").succeeded


def test_a_program_that_dies_comes_back(host):
    with host.sudo():
        before = pid(host)
        host.check_output(f"kill -9 {before}")
        wait_for("it is back", lambda: pid(host) not in {0, before})


def test_no_program_runs_twice_after_supervisor_died(host):
    with host.sudo():
        before, program = supervisord(host), pid(host)
        host.check_output(f"kill -9 {before}")
        wait_for("it is back", lambda: pid(host) not in {0, program} and running(host))
        assert supervisord(host) != before
        assert running(host) == [pid(host)]


def test_only_root_commands_it(host):
    with host.sudo():
        # It may be new, after the death before.
        wait_for("it runs", lambda: " RUNNING " in host.run("supervisorctl status chatter").stdout)
    refused = host.run("sudo -u nobody supervisorctl stop chatter")
    assert refused.rc != 0 and "ermission denied" in refused.stdout + refused.stderr
    assert "supervisord" not in host.check_output("ss -Hltunp")
