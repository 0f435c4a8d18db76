"""A deployment does not leave data behind on another host."""

from __future__ import annotations

import shutil

from scenario import PROJECT, run_playbook

from lab.copy_inventory import directory


def test_database_that_moves_by_one_line_is_refused(tmp_path):
    site = shutil.copytree(directory(), tmp_path / "site")
    hosts = (site / "hosts.yml").read_text()
    before = "database:\n              hosts:\n                master1:"
    assert before in hosts
    (site / "hosts.yml").write_text(hosts.replace(before, before.replace("master1", "worker1")))
    run = run_playbook(PROJECT / "site.yml", site)
    assert run.returncode != 0
    assert "database: the data are on master1, and worker1 would start empty" in run.stdout + run.stderr
    assert "changed=1" not in run.stdout
