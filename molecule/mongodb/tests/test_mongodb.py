"""MongoDB keeps its data, listens on loopback only, and restarts after a crash."""

COLLECTION = """
import pymongo
with pymongo.MongoClient("127.0.0.1", 27017, serverSelectionTimeoutMS=20000) as client:
    kept = client.molecule.kept
    {0}
"""


def run(host, line: str) -> str:
    """Run a line of Python that has a collection as `kept`; return its output."""
    return host.check_output("python3 -c %s", COLLECTION.format(line))


def test_documents_survive_a_restart(host):
    run(host, "kept.replace_one({'_id': 1}, {'_id': 1, 'value': 'x'}, upsert=True)")
    with host.sudo():
        host.check_output("systemctl restart mongod")
    assert run(host, "print(kept.find_one({'_id': 1})['value'])") == "x"


def test_mongodb_restarts_after_kill(host):
    process = "$(systemctl show -P MainPID mongod)"
    with host.sudo():
        before = host.check_output(f"echo {process}")
        host.check_output(f"kill -9 {before}")
        back = f"[[ ! {process} =~ ^(0|{before})$ ]] && </dev/tcp/127.0.0.1/27017"
        host.check_output(f"timeout 60 bash -c 'until {back}; do sleep 0.2; done' 2>/dev/null")


def test_mongodb_listens_on_loopback_only(host):
    listeners = [line.split()[3] for line in host.check_output("ss -H -ltn sport = 27017").splitlines()]
    assert listeners
    assert all(where.startswith(("127.0.0.1:", "[::ffff:127.0.0.1]:")) for where in listeners)


def test_files_are_not_readable_by_other_users(host):
    everybody = "runuser -u nobody -- find /var/lib/mongodb /etc/mongod.conf -type f -readable 2>/dev/null || true"
    with host.sudo():
        assert host.check_output(everybody) == ""
