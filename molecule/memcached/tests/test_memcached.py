"""memcached stores values, listens on loopback over TCP only and restarts after a kill."""

TALK = "printf '{0}quit\\r\\n' | timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/11211; cat >&3; cat <&3'"


def talk(host, commands: str) -> str:
    """Send commands, whose lines end with \\r\\n; return the response of memcached."""
    return host.check_output(TALK.format(commands))


def test_memcached_returns_a_stored_value(host):
    assert "STORED" in talk(host, r"set key 0 60 5\r\nvalue\r\n")
    assert "value" in talk(host, r"get key\r\n")


def test_memcached_has_the_configured_memory(host):
    assert f"limit_maxbytes {96 * 1024 * 1024}" in talk(host, r"stats\r\n")


def test_memcached_listens_on_loopback_over_tcp_only(host):
    assert host.socket("tcp://127.0.0.1:11211").is_listening
    assert not host.socket("tcp://0.0.0.0:11211").is_listening
    assert "11211" not in host.check_output("ss -lun")


def test_memcached_restarts_after_kill(host):
    with host.sudo():
        before = host.check_output("systemctl show -P MainPID memcached")
        host.check_output(f"kill -9 {before}")
        host.check_output(
            'timeout 20 bash -c \'until [ "$(systemctl show -P MainPID memcached)" -gt 0 ] && '
            "</dev/tcp/127.0.0.1/11211; do sleep 0.2; done'"
        )
        assert host.check_output("systemctl show -P MainPID memcached") != before
