"""Descriptions for every dialect with every launcher, and some with all fields.

`python3 -m tests.unit.batch_script.cases` writes their scripts to golden/.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from module_utils.batch.launchers import LAUNCHERS
from module_utils.batch.registry import DIALECTS
from module_utils.batch.script import render
from module_utils.batch.spec import BatchSpec, Launch, Node

GOLDEN = Path(__file__).parent / "golden"
CLIENT = ("/lustre/sw/raycrafter/current/bin/python", "-m", "raycrafter_client", "run")
# One renderer with all the cores of one node.
BASE = BatchSpec(
    name="rc4k2mz7qwx9abc",
    queue="multi",
    nodes=1,
    cores_per_node=24,
    walltime="04:00:00",
    dialect="torque",
    launcher="aprun",
    directory="/lustre/ws/render-rc-job-17/batch-3",
    command=CLIENT,
    launch=Launch(n=1, N=1, d=24),
    node=Node(cores=24, numa_nodes=2, hyperthreads=2),
)
# Four programs on two nodes, each with half of a node.
SPREAD = {"nodes": 2, "launch": Launch(n=4, N=2, d=12)}
EVERYTHING = {
    "account": "proj1",
    "mail_to": ("artist@example.org", "operator@example.org"),
    "mail_on": ("begin", "abort"),
    "after": {"afterok": ("17.server", "18.server"), "afterany": ("19.server",)},
    "array": "0-99%5",
    "workspace": "rc-job-17",
    "modules": ("PrgEnv-gnu/6.0", "povray"),
    "environment": {"OMP_NUM_THREADS": "24"},
    "export": ("LANG", "TZ"),
    "prologue": "/opt/site/before.sh",
    "epilogue": "/opt/site/after",
}
TEMPLATE = """\
#!/bin/bash
# Our site's own: see the wiki.
@directives@
#PBS -l filesystems=lustre
#PBS -l place_nearby=rack

ulimit -c 0
@script@
"""


def _plain(dialect: str, launcher: str) -> BatchSpec:
    changes = {} if launcher == "none" else SPREAD
    return dataclasses.replace(BASE, dialect=dialect, launcher=launcher, **changes)


CASES = {f"{dialect}-{launcher}": _plain(dialect, launcher) for dialect in DIALECTS for launcher in LAUNCHERS} | {
    "torque-aprun": dataclasses.replace(BASE, account="proj1"),
    "torque_cray-aprun": dataclasses.replace(
        BASE,
        dialect="torque_cray",
        nodes=2,
        walltime=90061,
        launch=Launch(n=4, N=2, d=24, j=2, S=1, cc="numa_node", b=False, e={"MALLOC_ARENA_MAX": "2"}),
    ),
    "torque-everything": dataclasses.replace(BASE, **EVERYTHING),
    "pbspro-everything": dataclasses.replace(BASE, dialect="pbspro", launcher="mpiexec", project="p7", **EVERYTHING),
    "slurm-everything": dataclasses.replace(
        BASE,
        dialect="slurm",
        launcher="srun",
        **EVERYTHING | {"after": {"afterok": ("17", "18_3"), "afterany": ("19",)}},
    ),
    "pbspro-template": dataclasses.replace(BASE, dialect="pbspro", launcher="none"),
}


def script(case: str) -> str:
    """Return the script of a case."""
    return render(CASES[case], TEMPLATE) if case.endswith("-template") else render(CASES[case])


if __name__ == "__main__":
    for case in CASES:
        (GOLDEN / f"{case}.sh").write_text(script(case))
