"""The script's text against golden files, and what every field may hold."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import batch_script
import pytest
from batch_script import BatchScriptError, BatchSpec, Launch, Node, format_walltime, parse_walltime, render
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"

CRAY_NODE = Node(cores=24, numa_nodes=2, hyperthreads=2)
CLIENT = ("/lustre/sw/raycrafter/current/bin/python", "-m", "raycrafter_client", "run")
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
    node=CRAY_NODE,
)
CASES = {
    "torque-aprun": dataclasses.replace(BASE, account="proj1"),
    "torque_cray-aprun": dataclasses.replace(
        BASE,
        dialect="torque_cray",
        nodes=2,
        walltime=90061,
        launch=Launch(n=4, N=2, d=24, j=2, S=1, cc="numa_node"),
        modules=("PrgEnv-gnu/6.0", "povray"),
    ),
    "pbspro-mpiexec": dataclasses.replace(
        BASE, dialect="pbspro", launcher="mpiexec", nodes=2, launch=Launch(n=4, N=2, d=12), export=("LANG", "TZ")
    ),
    "slurm-srun": dataclasses.replace(
        BASE, dialect="slurm", launcher="srun", account="proj1", environment={"OMP_NUM_THREADS": "24"}
    ),
    "torque-none": dataclasses.replace(BASE, launcher="none"),
}


@pytest.mark.parametrize("case", CASES)
def test_script_is_the_golden_file(case: str) -> None:
    assert render(CASES[case]) == (GOLDEN / f"{case}.sh").read_text()


def test_every_golden_file_has_a_case_and_every_table_entry_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)
    assert {spec.dialect for spec in CASES.values()} == set(batch_script.DIALECTS)
    assert {spec.launcher for spec in CASES.values()} == set(batch_script.LAUNCHERS)


def test_source_is_readable_by_the_login_nodes_old_python() -> None:
    ast.parse(Path(batch_script.__file__).read_text(), feature_version=(3, 8))


def test_both_users_share_one_file() -> None:
    root = HERE.parents[2]
    link = root / "raycrafter/src/raycrafter/cluster/batch_script.py"
    assert link.resolve() == (root / "module_utils/batch_script.py").resolve()


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
    ("walltime", "4h"),
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
    ("node", Node(cores=0)),
    ("node", Node(cores=24, numa_nodes=25)),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_and_its_field_named(name: str, value: object) -> None:
    with pytest.raises(BatchScriptError) as caught:
        render(dataclasses.replace(BASE, **{name: value}))
    assert caught.value.field.split(".")[0].split("[")[0] in (name, "cores_per_node")
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
]


@pytest.mark.parametrize(("changes", "message"), GEOMETRY)
def test_a_broken_inequality_is_shown_with_its_numbers(changes: dict, message: str) -> None:
    with pytest.raises(BatchScriptError) as caught:
        render(dataclasses.replace(BASE, **changes))
    assert str(caught.value) == message


@pytest.mark.parametrize("cc", ["cpu", "none", "depth", "numa_node", "0-5,6:7"])
def test_cpu_bindings(cc: str) -> None:
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
        (90, 90),
    ],
)
def test_walltime_is_read(text: str | int, seconds: int) -> None:
    assert parse_walltime(text) == seconds


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=batch_script.MAX_WALLTIME))
def test_walltime_survives_a_round_trip(seconds: int) -> None:
    text = format_walltime(seconds)
    assert parse_walltime(text) == seconds
    assert all(len(part) >= 2 for part in text.split(":"))


# Text that tries: directives, newlines of every sort, shell syntax, and now and then something harmless.
POISON = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="aZ0-_./ \n\r\x0b\x0c\x1c\x85\u2028#$`;&|'\"\\", max_size=20),
    st.sampled_from(["#PBS -V", "x\n#PBS -l nodes=999", "x\r#PBS -V", "$(id)", "workq", "/a/b", "rc1"]),
)
TEXT_FIELDS = ["name", "queue", "account", "walltime", "dialect", "launcher", "directory"]
LIST_FIELDS = ["modules", "export", "command"]


@settings(max_examples=300, deadline=None)
@given(
    case=st.sampled_from(sorted(CASES)),
    texts=st.dictionaries(st.sampled_from(TEXT_FIELDS), POISON, max_size=3),
    lists=st.dictionaries(st.sampled_from(LIST_FIELDS), st.lists(POISON, max_size=3), max_size=2),
    environment=st.dictionaries(POISON, POISON, max_size=2),
    cc=POISON,
)
def test_no_text_adds_a_directive_or_a_line(case: str, texts: dict, lists: dict, environment: dict, cc: str) -> None:
    """Whatever the fields hold, the script is refused or has just the lines that the description asks for."""
    launch = dataclasses.replace(CASES[case].launch, cc=cc)
    spec = dataclasses.replace(CASES[case], environment=environment, launch=launch, **texts, **lists)
    try:
        script = render(spec)
    except BatchScriptError:
        return
    plain = dataclasses.replace(CASES[case], environment={}, modules=(), dialect=spec.dialect, launcher=spec.launcher)
    plain = dataclasses.replace(plain, account=spec.account or None, export=spec.export and ("A",))
    expected = len(render(plain).splitlines()) + len(environment) + (2 if spec.modules else 0)
    assert len(script.splitlines()) == expected
    assert script.count("#PBS") + script.count("#SBATCH") == len(batch_script.directives(spec))
    assert script.isascii() and "$(" not in script and "`" not in script
