"""The services' hosts work side by side, and the run ends with the stage in which one of them failed.

The playbook is the real one; its roles are stand-ins that leave a file, or fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ["mongodb", "elasticsearch", "graylog", "postgresql", "rabbitmq", "memcached", "gridftp", "supervisor"]
ONE_HOST_EACH = {
    "mongodb": ["logs"],
    "elasticsearch": ["logs"],
    "graylog": ["logs"],
    "database": ["master"],
    "broker": ["master"],
    "web": ["master"],
    "workers": ["worker", "worker2"],
}


def run(directory, groups, *, broken):
    """Run the services' plays and one after them; the roles `broken` fail. Return the process and the files left."""
    for role in ROLES:
        tasks = directory / "roles" / role / "tasks"
        tasks.mkdir(parents=True)
        leave = {"ansible.builtin.copy": {"content": "", "dest": f"{directory}/{{{{ inventory_hostname }}}}-{role}"}}
        fail = {"ansible.builtin.fail": {"msg": "broken"}}
        (tasks / "main.yml").write_text(yaml.safe_dump([fail if role in broken else leave]))
    host = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
    inventory = {
        "all": {"vars": host, "children": {name: {"hosts": dict.fromkeys(hosts)} for name, hosts in groups.items()}}
    }
    (directory / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (directory / "group_vars").symlink_to(ROOT / "group_vars")
    after = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.copy": {"content": "", "dest": f"{directory}/after"}}],
    }
    (directory / "site.yml").write_text(yaml.safe_dump([{"import_playbook": f"{ROOT}/playbooks/services.yml"}, after]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts.yml", "-e", "celery_transfer_kind=ssh", "site.yml"],
        cwd=directory,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(directory / "roles")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done, {path.name for path in directory.iterdir() if path.is_file()} - {"hosts.yml", "site.yml"}


def test_a_failed_host_ends_the_run_after_its_stage(tmp_path):
    done, left = run(tmp_path, ONE_HOST_EACH, broken=["postgresql"])
    assert done.returncode != 0
    assert "The services of master could not be deployed" in done.stdout
    # The other hosts finish theirs, and nothing comes after.
    assert left == {"logs-mongodb", "logs-elasticsearch", "logs-graylog", "worker-supervisor", "worker2-supervisor"}


def test_a_cluster_works_in_step(tmp_path):
    done, left = run(tmp_path, ONE_HOST_EACH | {"elasticsearch": ["logs", "search"]}, broken=[])
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stderr
    assert {"after", "master-rabbitmq", "logs-graylog", "search-elasticsearch", "worker2-supervisor"} <= left
    skipped = {play.split("]")[0] for play in done.stdout.split("PLAY [")[1:] if "no hosts matched" in play}
    assert skipped == {"Deploy services side by side", "Stop unless every host has its services"}
