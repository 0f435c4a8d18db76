"""MongoDB keeps what it is given, on loopback alone, and comes back when it dies."""

COLLECTION = """
import pymongo
with pymongo.MongoClient("127.0.0.1", 27017, serverSelectionTimeoutMS=20000) as client:
    kept = client.molecule.kept
    {0}
"""


def run(host, line: str) -> str:
    """Return what a line of Python prints that has a collection at hand as `kept`."""
    return host.check_output("python3 -c %s", COLLECTION.format(line))


def test_it_keeps_what_it_is_given(host):
    run(host, "kept.replace_one({'_id': 1}, {'_id': 1, 'value': 'x'}, upsert=True)")
    with host.sudo():
        host.check_output("systemctl restart mongod")
    assert run(host, "print(kept.find_one({'_id': 1})['value'])") == "x"


def test_it_comes_back_when_it_dies(host):
    process = "$(systemctl show -P MainPID mongod)"
    with host.sudo():
        before = host.check_output(f"echo {process}")
        host.check_output(f"kill -9 {before}")
        back = f"[[ ! {process} =~ ^(0|{before})$ ]] && </dev/tcp/127.0.0.1/27017"
        host.check_output(f"timeout 60 bash -c 'until {back}; do sleep 0.2; done' 2>/dev/null")


def test_nobody_else_can_reach_it(host):
    listeners = [line.split()[3] for line in host.check_output("ss -H -ltn sport = 27017").splitlines()]
    assert listeners
    assert all(where.startswith(("127.0.0.1:", "[::ffff:127.0.0.1]:")) for where in listeners)


def test_others_on_the_host_cannot_read_its_files(host):
    everybody = "runuser -u nobody -- find /var/lib/mongodb /etc/mongod.conf -type f -readable 2>/dev/null || true"
    with host.sudo():
        assert host.check_output(everybody) == ""
