"""Test that Supervisor runs programs, rotates their logs and obeys only root."""

from scenario import wait_for

LOG = "/var/log/raycrafter/chatter.log"
# Supervisor checks the size after writing, at most the 64 KiB that a pipe holds.
LARGEST = (64 + 64) * 1024


def pid(host, program: str = "chatter") -> int:
    """Return the process id of a program, or 0 if supervisorctl prints none."""
    output = host.run(f"supervisorctl pid {program}").stdout.strip()
    return int(output) if output.isdigit() else 0


def supervisord(host) -> str:
    return host.check_output("systemctl show -P MainPID supervisor")


def running(host) -> list[int]:
    """Return the ids of all processes of the program, with any parent process."""
    return [int(word) for word in host.run("pgrep -f '^/usr/bin/python3 -u /usr/local/bin/chatter'").stdout.split()]


def test_program_runs_with_its_user_environment_and_limits(host):
    with host.sudo():
        process = f"/proc/{pid(host)}"
        assert host.check_output(f"stat -c %U {process}") == "nobody"
        assert "GREETING=100% sure; yes" in host.check_output(f"tr '\\0' '\\n' <{process}/environ").splitlines()
        open_files = "grep 'open files' /proc/{}/limits"
        # The container's own limit may be lower.
        most = int(host.check_output(open_files.format(1)).split()[4])
        assert host.check_output(open_files.format(pid(host))).split()[3] == str(min(65536, most))
        # Right after a rotation the log is empty.
        wait_for("the program writes", lambda: host.run(f"tail -n 1 {LOG}").stdout.startswith("100% sure; yes 000"))


def test_log_is_rotated_within_its_limits(host):
    with host.sudo():
        eldest = wait_for("the log is rotated twice", lambda: host.run(f"stat -c %i {LOG}.2").stdout)
        wait_for("the log is rotated again", lambda: host.run(f"stat -c %i {LOG}.2").stdout not in {"", eldest})
        # A rotation may rename a file while find runs.
        sizes = host.run(f"find {LOG}* -printf '%s\\n'").stdout.split()
        assert 0 < len(sizes) <= 3 and all(int(size) <= LARGEST for size in sizes), sizes
        assert not host.run(f"sudo -u daemon cat {LOG}").succeeded


def test_program_restarts_after_kill(host):
    with host.sudo():
        before = pid(host)
        host.check_output(f"kill -9 {before}")
        wait_for("the program runs again", lambda: pid(host) not in {0, before})


def test_program_runs_once_after_supervisor_is_killed(host):
    with host.sudo():
        before, program = supervisord(host), pid(host)
        host.check_output(f"kill -9 {before}")
        wait_for("the program runs again", lambda: pid(host) not in {0, program} and running(host))
        assert supervisord(host) != before
        assert running(host) == [pid(host)]


def test_supervisor_accepts_commands_from_root_only(host):
    with host.sudo():
        # The previous test killed Supervisor; wait for the new one.
        wait_for("the program runs", lambda: " RUNNING " in host.run("supervisorctl status chatter").stdout)
    refused = host.run("sudo -u nobody supervisorctl stop chatter")
    assert refused.rc != 0 and "ermission denied" in refused.stdout + refused.stderr
    assert "supervisord" not in host.check_output("ss -Hltunp")
