"""Compare scripts with golden files, and test the values of every field."""

from __future__ import annotations

import ast
import dataclasses
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from module_utils.batch import spec
from module_utils.batch.script import render
from module_utils.batch.spec import BatchScriptError, Launch, Node, format_walltime, parse_walltime
from tests.unit.batch_script.cases import BASE, CASES, GOLDEN, script

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "module_utils/batch"
SOURCES = sorted(path.name for path in PACKAGE.glob("*.py"))


@pytest.mark.parametrize("case", CASES)
def test_script_is_the_golden_file(case: str) -> None:
    assert script(case) == (GOLDEN / f"{case}.sh").read_text()


def test_every_golden_file_has_a_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", SOURCES)
def test_source_has_the_syntax_of_python_3_8(name: str) -> None:
    ast.parse((PACKAGE / name).read_text(), feature_version=(3, 8))


def test_package_of_the_worker_is_the_modules() -> None:
    link = ROOT / "raycrafter/src/raycrafter/cluster/batch"
    assert link.is_symlink() and link.resolve() == PACKAGE


@pytest.mark.parametrize("name", SOURCES)
def test_package_imports_nothing_but_itself_and_the_standard_library(name: str) -> None:
    """The worker has no Ansible, and a login node has neither Ansible nor Django."""
    nodes = list(ast.walk(ast.parse((PACKAGE / name).read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    absolute = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0]
    outside = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level > 1]
    assert {module.split(".")[0] for module in [*plain, *absolute]} <= sys.stdlib_module_names
    assert outside == []


BAD = [
    ("name", "1digit"),
    ("name", "has space"),
    ("name", "sixteen-letters-"),
    ("name", "newline\n"),
    ("name", ""),
    ("queue", "q\n#PBS -l nodes=999"),
    ("queue", "-q"),
    ("account", "a b"),
    ("account", "x;y"),
    ("directory", "relative/path"),
    ("directory", "/a/../b"),
    ("directory", "/a//b"),
    ("directory", "/a/"),
    ("directory", "/a$(id)"),
    ("directory", "/a\n"),
    ("walltime", "4x"),
    ("walltime", "1h1d"),
    ("walltime", "00:60:00"),
    ("walltime", 0),
    ("walltime", True),
    ("walltime", "00:10:00\n"),
    ("nodes", 0),
    ("nodes", "1"),
    ("nodes", True),
    ("cores_per_node", -1),
    ("dialect", "lsf"),
    ("launcher", "aprun; id"),
    ("modules", ("a b",)),
    ("modules", ("-x",)),
    ("modules", "povray"),
    ("environment", {"A B": "1"}),
    ("environment", {"A": "$(id)"}),
    ("environment", {"A": "1\nid"}),
    ("environment", [("A", "1")]),
    *(("environment", {name: "/x"}) for name in ("PATH", "LD_PRELOAD", "BASH_ENV", "IFS", "UID", "rc_stage")),
    *(("environment", {name: "1"}) for name in ("PBS_JOBID", "SLURM_ARRAY_TASK_ID", "PBS_ENVIRONMENT", "WORKSPACE")),
    ("environment", {"APRUN_XFER_LIMITS": "0"}),
    ("export", ("A=1",)),
    ("export", ("A,B",)),
    ("command", ()),
    ("command", ("-x",)),
    ("command", ("A=1", "program")),
    ("command", ("program", "two words")),
    ("command", ("program", "")),
    ("command", ("program", "a&&b")),
    ("command", ("program", "`id`")),
    ("command", ("program", "\u00e4")),
    ("launch", Launch(j=3)),
    ("launch", Launch(S=0)),
    ("launch", Launch(cc="none -x")),
    ("launch", Launch(n=True)),
    ("launch", Launch(b="yes")),
    ("launch", Launch(e={"A": "two words"})),
    ("launch", Launch(e={"A B": "1"})),
    ("project", "p7"),
    ("mail_to", ("no address",)),
    ("mail_to", ("a@b\n",)),
    ("mail_to", ("a@example.org",)),
    ("mail_on", ("end",)),
    ("mail_on", ("now",)),
    ("mail_on", "end"),
    ("after", {"afterok": ("x",)}),
    ("after", {"afterok": ("17_3",)}),
    ("after", {"afterok": ()}),
    ("after", {"before": ("1",)}),
    ("after", ["1"]),
    ("array", "0-9\n"),
    ("array", "9-0"),
    ("array", "0-9%0"),
    ("array", "1,2"),
    ("workspace", "../other"),
    ("workspace", "$(id)"),
    ("prologue", "relative"),
    ("epilogue", "/a b"),
    ("after", {"afterok": "17"}),
    ("after", {"afterok": 17}),
    ("after", {"afterok": None}),
    ("after", {"afterok": (17,)}),
    ("environment", {"A": None}),
    ("environment", {"A": True}),
    ("environment", None),
    ("launch", None),
    ("launch", {"n": 1}),
    ("launch", Launch(e=None)),
    ("node", None),
    ("node", {"cores": 24}),
    ("node", Node(cores=0)),
    ("node", Node(cores=24, numa_nodes=25)),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_value_is_refused_and_its_field_named(name: str, value: object) -> None:
    with pytest.raises(BatchScriptError) as caught:
        render(dataclasses.replace(BASE, **{name: value}))
    assert caught.value.field.split(".")[0].split("[")[0] in (name, "cores_per_node", "mail_on")
    assert caught.value.reason


GEOMETRY = [
    ({"launch": Launch(n=1, N=2)}, "launch.N: 1 <= N <= n does not hold: N = 2, n = 1"),
    ({"launch": Launch(n=4, N=1)}, "launch.n: ceil(n/N) <= nodes does not hold: ceil(4/1) = 4 > 1"),
    (
        {"launch": Launch(n=2, N=2, d=24)},
        "launch.d: N*d <= cores_per_node*j does not hold: 2*24 = 48 > 24*1 = 24",
    ),
    (
        {"launch": Launch(d=2, j=2), "node": Node(cores=24)},
        "launch.j: j <= node.hyperthreads does not hold: 2 > 1",
    ),
    (
        {"launch": Launch(n=4, N=4, d=1, S=1)},
        "launch.S: N <= S*node.numa_nodes does not hold: 4 > 1*2 = 2",
    ),
    (
        {"launch": Launch(n=2, N=2, d=8, S=2)},
        "launch.S: S*d <= cores per NUMA node*j does not hold: 2*8 = 16 > 12*1 = 12",
    ),
    ({"cores_per_node": 25}, "cores_per_node: cores_per_node <= node.cores does not hold: 25 > 24"),
    ({"launcher": "none", "launch": Launch(n=2, N=2)}, "launch.n: without a launcher the command starts once, n = 2"),
    ({"launcher": "none", "launch": Launch(N=5)}, "launch.N: 1 <= N <= n does not hold: N = 5, n = 1"),
    (
        {"launcher": "none", "launch": Launch(d=999)},
        "launch.d: N*d <= cores_per_node*j does not hold: 1*999 = 999 > 24*1 = 24",
    ),
    *(
        ({"launcher": launcher, "launch": Launch(cc="depth")}, f"launch.cc: aprun's alone, the launcher is {launcher}")
        for launcher in ("srun", "mpiexec", "none")
    ),
]


@pytest.mark.parametrize(("changes", "message"), GEOMETRY)
def test_broken_inequality_is_shown_with_its_numbers(changes: dict, message: str) -> None:
    with pytest.raises(BatchScriptError) as caught:
        render(dataclasses.replace(BASE, **changes))
    assert str(caught.value) == message


@pytest.mark.parametrize("native_id", ["17", "17_3"])
def test_slurm_job_ids_are_accepted(native_id: str) -> None:
    spec = dataclasses.replace(BASE, dialect="slurm", launcher="srun", after={"afterok": [native_id]})
    assert f"\n#SBATCH --dependency=afterok:{native_id}\n" in render(spec)


@pytest.mark.parametrize("native_id", ["17.server", "17[]", "17_", "17_3_4"])
def test_other_job_ids_are_refused_for_slurm(native_id: str) -> None:
    spec = dataclasses.replace(BASE, dialect="slurm", launcher="srun", after={"afterok": [native_id]})
    with pytest.raises(BatchScriptError, match="a job id of slurm's"):
        render(spec)


@pytest.mark.parametrize("cc", ["cpu", "none", "depth", "numa_node", "0-5,6:7"])
def test_cpu_bindings_are_written(cc: str) -> None:
    assert f" -cc {cc} " in render(dataclasses.replace(BASE, launch=Launch(d=24, cc=cc)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("04:00:00", 14400),
        ("100:00:01", 360001),
        ("10:30", 630),
        ("1:02:03:04", 93784),
        ("1-02:03:04", 93784),
        ("90", 90),
        ("2h", 7200),
        ("1d12h30m", 131400),
        ("45s", 45),
        (90, 90),
    ],
)
def test_walltime_is_read(text: str | int, seconds: int) -> None:
    assert parse_walltime(text) == seconds


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=spec.MAX_WALLTIME))
def test_walltime_survives_a_round_trip(seconds: int) -> None:
    text = format_walltime(seconds)
    assert parse_walltime(text) == seconds
    assert all(len(part) >= 2 for part in text.split(":"))
