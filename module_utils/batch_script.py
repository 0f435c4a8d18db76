"""Batch scripts for Torque, PBS Pro and Slurm, made from a typed and checked description.

Pure Python without imports of Ansible or Django: the Ansible module ``batch_script`` and the render manager use this
same file. It runs on whatever Python the login node has, hence nothing newer than Python 3.8.

Quoting alone does not keep a field from adding a line (``shlex.quote`` keeps newlines), so every field has a whitelist,
control characters fit none of them, and ``render`` counts the directives that came out against those that went in.
User text has no place here: a compute node asks the service for the renderer's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")  # what Torque, PBS Pro and Slurm all take
QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
PATH = re.compile(r"/[A-Za-z0-9_./+=@-]{1,1023}")
MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./+-]{0,127}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
VALUE = re.compile(r"[A-Za-z0-9_./:,+=@%-]{0,1024}")
WORD = re.compile(r"[A-Za-z0-9_./:,+=@%-]{1,1024}")
CPU_LIST = re.compile(r"[0-9]+([-,:][0-9]+)*")
CPU_BINDINGS = ("cpu", "none", "depth", "numa_node")

MAX_WALLTIME = 366 * 24 * 3600  # seconds; beyond any queue's limit, so it is a slip
_CLOCK = re.compile(r"(?:(?:([0-9]{1,3})[-:])?([0-9]{1,5}):)?([0-9]{1,2}):([0-9]{2})")


class BatchScriptError(ValueError):
    """One field of the description is wrong: ``field`` names it, ``reason`` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class Launch:
    """How the launcher spreads the program, in aprun's letters: n processing elements in all, N per node, d CPUs for
    each, j CPUs used per core (2 = hyperthreads), S per NUMA node, cc the CPU binding."""

    n: int = 1
    N: int = 1
    d: int = 1
    j: int = 1
    S: int | None = None
    cc: str = "none"


@dataclass(frozen=True)
class Node:
    """What one compute node has: physical cores, NUMA nodes, hardware threads per core."""

    cores: int = 1
    numa_nodes: int = 1
    hyperthreads: int = 1


@dataclass(frozen=True)
class BatchSpec:
    """One batch job. ``walltime`` is ``HH:MM:SS`` or seconds; ``directory`` is where it runs and leaves its output;
    ``export`` names variables of the submitting shell that the job shall see."""

    name: str
    queue: str
    nodes: int
    cores_per_node: int
    walltime: str | int
    dialect: str
    launcher: str
    directory: str
    command: Sequence[str]
    account: str | None = None
    launch: Launch = field(default_factory=Launch)
    node: Node = field(default_factory=Node)
    modules: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    export: Sequence[str] = ()


def parse_walltime(text: str | int) -> int:
    """Seconds in ``HH:MM:SS`` (hours may exceed 24), ``MM:SS``, ``D:HH:MM:SS``, ``D-HH:MM:SS`` or plain seconds.

    Raises BatchScriptError for anything else, and for less than a second or more than a year.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        seconds = text
    elif isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text):
        seconds = int(text)
    elif isinstance(text, str) and (match := _CLOCK.fullmatch(text)):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        if minutes > 59 or rest > 59:
            raise BatchScriptError("walltime", f"minutes and seconds end at 59, got {text!r}")
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    else:
        raise BatchScriptError("walltime", f"write HH:MM:SS or seconds, got {text!r}")
    if not 1 <= seconds <= MAX_WALLTIME:
        raise BatchScriptError("walltime", f"must be 1 to {MAX_WALLTIME} seconds, got {seconds}")
    return seconds


def format_walltime(seconds: int) -> str:
    """``HH:MM:SS`` with every part padded; hours may exceed 24."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


# -- dialects: a scheduler's directives are one entry here -------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """How one scheduler reads a script: the prefix of its directives, and what they are for a description."""

    prefix: str
    directives: Callable[[BatchSpec], list[str]]


def _pbs(resources: Callable[[BatchSpec], list[str]]) -> Callable[[BatchSpec], list[str]]:
    """Directives that the PBS family shares around its differing resource lists. No ``-V``: it fills the server's
    answers with the submitting shell; no rerun: it would run one job id twice."""

    def directives(spec: BatchSpec) -> list[str]:
        lines = [f"-N {spec.name}", f"-q {spec.queue}"]
        if spec.account:
            lines.append(f"-A {spec.account}")
        lines += [f"-l {resource}" for resource in resources(spec)]
        lines.append(f"-l walltime={format_walltime(parse_walltime(spec.walltime))}")
        lines += ["-r n", "-j oe", "-m n", "-S /bin/bash", f"-o {spec.directory}/{spec.name}.out"]
        if spec.export:
            lines.append(f"-v {','.join(spec.export)}")
        return lines

    return directives


def _torque(spec: BatchSpec) -> list[str]:
    return [f"nodes={spec.nodes}:ppn={spec.cores_per_node}"]


def _torque_cray(spec: BatchSpec) -> list[str]:
    # Whole nodes, one width per core; Torque refuses nodes= or ncpus= beside mppwidth.
    return [f"mppwidth={spec.nodes * spec.cores_per_node}", f"mppnppn={spec.cores_per_node}", "mppdepth=1"]


def _pbspro(spec: BatchSpec) -> list[str]:
    chunk = f"ncpus={spec.cores_per_node}:mpiprocs={spec.launch.N}:ompthreads={spec.launch.d}"
    return [f"select={spec.nodes}:{chunk}", "place=scatter:excl"]


def _slurm(spec: BatchSpec) -> list[str]:
    lines = [f"--job-name={spec.name}", f"--partition={spec.queue}"]
    if spec.account:
        lines.append(f"--account={spec.account}")
    lines += [
        f"--nodes={spec.nodes}",
        f"--ntasks-per-node={spec.launch.N}",
        f"--cpus-per-task={spec.launch.d}",
        f"--time={format_walltime(parse_walltime(spec.walltime))}",
        "--no-requeue",
        "--mail-type=NONE",
        f"--output={spec.directory}/{spec.name}.out",
        f"--export={','.join(spec.export) if spec.export else 'NONE'}",
    ]
    return lines


DIALECTS: dict[str, Dialect] = {
    "torque": Dialect("#PBS", _pbs(_torque)),
    "torque_cray": Dialect("#PBS", _pbs(_torque_cray)),
    "pbspro": Dialect("#PBS", _pbs(_pbspro)),
    "slurm": Dialect("#SBATCH", _slurm),
}


# -- launchers: how the program gets onto the compute nodes is one entry here ------------------------------------------


@dataclass(frozen=True)
class Launcher:
    """The words before the command, what must be in the environment for them, and the rules they bring."""

    words: Callable[[BatchSpec], list[str]]
    check: Callable[[BatchSpec], None]
    environment: Mapping[str, str] = field(default_factory=dict)


def _require(holds: bool, name: str, rule: str, numbers: str) -> None:
    if not holds:
        raise BatchScriptError(name, f"{rule} does not hold: {numbers}")


def _check_spread(spec: BatchSpec) -> None:
    """What every launcher that starts processes on several nodes needs."""
    launch, cores = spec.launch, spec.cores_per_node
    _require(1 <= launch.N <= launch.n, "launch.N", "1 <= N <= n", f"N = {launch.N}, n = {launch.n}")
    needed = -(-launch.n // launch.N)
    _require(
        needed <= spec.nodes,
        "launch.n",
        "ceil(n/N) <= nodes",
        f"ceil({launch.n}/{launch.N}) = {needed} > {spec.nodes}",
    )
    _require(
        launch.j <= spec.node.hyperthreads,
        "launch.j",
        "j <= node.hyperthreads",
        f"{launch.j} > {spec.node.hyperthreads}",
    )
    _require(
        launch.N * launch.d <= cores * launch.j,
        "launch.d",
        "N*d <= cores_per_node*j",
        f"{launch.N}*{launch.d} = {launch.N * launch.d} > {cores}*{launch.j} = {cores * launch.j}",
    )


def _check_aprun(spec: BatchSpec) -> None:
    launch, node = spec.launch, spec.node
    _check_spread(spec)
    if launch.cc not in CPU_BINDINGS and not CPU_LIST.fullmatch(launch.cc):
        raise BatchScriptError("launch.cc", f"one of {', '.join(CPU_BINDINGS)} or a CPU list, got {launch.cc!r}")
    if launch.S is not None:
        per_numa, room = node.cores // node.numa_nodes, launch.S * node.numa_nodes
        _require(
            room >= launch.N,
            "launch.S",
            "N <= S*node.numa_nodes",
            f"{launch.N} > {launch.S}*{node.numa_nodes} = {room}",
        )
        _require(
            launch.S * launch.d <= per_numa * launch.j,
            "launch.S",
            "S*d <= cores per NUMA node*j",
            f"{launch.S}*{launch.d} = {launch.S * launch.d} > {per_numa}*{launch.j} = {per_numa * launch.j}",
        )


def _check_alone(spec: BatchSpec) -> None:
    if spec.launch.n != 1:
        raise BatchScriptError("launch.n", f"without a launcher the command starts once, n = {spec.launch.n}")


def _aprun(spec: BatchSpec) -> list[str]:
    # -b: the binary is on a shared file system, do not ship it; -q: no resource line on the program's stdout.
    launch = spec.launch
    words = ["aprun", "-n", launch.n, "-N", launch.N, "-d", launch.d, "-j", launch.j]
    if launch.S is not None:
        words += ["-S", launch.S]
    return [str(word) for word in [*words, "-cc", launch.cc, "-b", "-q"]]


def _srun(spec: BatchSpec) -> list[str]:
    launch = spec.launch
    spread = [f"--ntasks={launch.n}", f"--ntasks-per-node={launch.N}", f"--cpus-per-task={launch.d}"]
    return ["srun", *spread, "--cpu-bind=none", "--kill-on-bad-exit=1"]


def _mpiexec(spec: BatchSpec) -> list[str]:
    return ["mpiexec", "-n", str(spec.launch.n)]  # the one option that all of them know


LAUNCHERS: dict[str, Launcher] = {
    # Without APRUN_XFER_LIMITS only the core and CPU limits travel with the program.
    "aprun": Launcher(_aprun, _check_aprun, {"APRUN_XFER_LIMITS": "1"}),
    # Under --export=NONE srun would start the program with an empty environment.
    "srun": Launcher(_srun, _check_spread, {"SLURM_EXPORT_ENV": "ALL"}),
    "mpiexec": Launcher(_mpiexec, _check_spread),
    "none": Launcher(lambda spec: [], _check_alone),
}


# -- checks ------------------------------------------------------------------------------------------------------------


def _text(name: str, value: object, pattern: re.Pattern[str], allowed: str) -> None:
    # fullmatch, because "$" would let a closing newline through.
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BatchScriptError(name, f"{allowed}, got {value!r}")


def _count(name: str, value: object, lowest: int = 1, highest: int = 1_000_000) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise BatchScriptError(name, f"a whole number from {lowest} to {highest}, got {value!r}")


def _choice(name: str, value: object, choices: Mapping[str, object]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise BatchScriptError(name, f"one of {', '.join(choices)}, got {value!r}")


def _texts(name: str, values: object, pattern: re.Pattern[str], allowed: str) -> None:
    if not isinstance(values, (list, tuple)):
        raise BatchScriptError(name, f"a list, got {values!r}")
    for position, value in enumerate(values):
        _text(f"{name}[{position}]", value, pattern, allowed)


def _directory(value: object) -> None:
    _text("directory", value, PATH, "an absolute path of letters, digits and _./+=@-")
    parts = str(value).split("/")[1:]
    if "" in parts or "." in parts or ".." in parts:
        raise BatchScriptError("directory", f"no empty part, '.' or '..' and no closing slash, got {value!r}")


def validate(spec: BatchSpec) -> None:
    """Returns when every field fits; raises BatchScriptError for the first that does not."""
    _text("name", spec.name, NAME, "a letter, then at most 14 letters, digits and _.-")
    _text("queue", spec.queue, QUEUE, "letters, digits and _.-")
    if spec.account is not None:
        _text("account", spec.account, ACCOUNT, "letters, digits and _.:-")
    _choice("dialect", spec.dialect, DIALECTS)
    _choice("launcher", spec.launcher, LAUNCHERS)
    _directory(spec.directory)
    parse_walltime(spec.walltime)
    counts = {
        "nodes": spec.nodes,
        "cores_per_node": spec.cores_per_node,
        "node.cores": spec.node.cores,
        "node.numa_nodes": spec.node.numa_nodes,
        "node.hyperthreads": spec.node.hyperthreads,
        "launch.n": spec.launch.n,
        "launch.N": spec.launch.N,
        "launch.d": spec.launch.d,
    }
    for name, value in counts.items():
        _count(name, value)
    _count("launch.j", spec.launch.j, highest=2)
    if spec.launch.S is not None:
        _count("launch.S", spec.launch.S)
    if not isinstance(spec.launch.cc, str):
        raise BatchScriptError("launch.cc", f"a text, got {spec.launch.cc!r}")
    _require(
        spec.cores_per_node <= spec.node.cores,
        "cores_per_node",
        "cores_per_node <= node.cores",
        f"{spec.cores_per_node} > {spec.node.cores}",
    )
    _require(
        spec.node.numa_nodes <= spec.node.cores,
        "node.numa_nodes",
        "node.numa_nodes <= node.cores",
        f"{spec.node.numa_nodes} > {spec.node.cores}",
    )
    _texts("modules", spec.modules, MODULE, "a module's name of letters, digits and _./+-")
    _texts("export", spec.export, VARIABLE, "a variable's name")
    _texts("command", spec.command, WORD, "a word of letters, digits and _./:,+=@%-")
    if not spec.command or spec.command[0].startswith("-") or "=" in spec.command[0]:
        raise BatchScriptError("command", "its first word must be a program")
    if not isinstance(spec.environment, Mapping):
        raise BatchScriptError("environment", f"a mapping, got {spec.environment!r}")
    for variable, value in spec.environment.items():
        _text("environment", variable, VARIABLE, "a variable's name")
        _text(f"environment[{variable}]", value, VALUE, "a value of letters, digits and _./:,+=@%-")
    LAUNCHERS[spec.launcher].check(spec)


# -- the script --------------------------------------------------------------------------------------------------------

# wait returns early with 143 when the trap runs, hence the loop; the last wait asks for the status again, for the case
# that the program ended between the two. The exit file appears by rename: who sees it sees all of it.
_BODY = """\
finish() {{
    printf '%s %s\\n' "${{PBS_JOBID:-${{SLURM_JOB_ID:-unknown}}}}" "$1" >exit.tmp && mv exit.tmp exit
    exit "$1"
}}
umask 077
cd {directory} || exit 90
{setup}set -u
child=
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
{command} </dev/null &
child=$!
while :; do wait "$child"; rc=$?; kill -0 "$child" 2>/dev/null || break; done
wait "$child" 2>/dev/null; again=$?; [ "$again" -eq 127 ] || rc=$again
finish "$rc"
"""

_MODULES = """\
command -v module >/dev/null || . /etc/profile
module load {names} || finish 91
"""


def directives(spec: BatchSpec) -> list[str]:
    """The scheduler's directive lines of a checked description."""
    dialect = DIALECTS[spec.dialect]
    return [f"{dialect.prefix} {line}" for line in dialect.directives(spec)]


def render(spec: BatchSpec) -> str:
    """The script's text; raises BatchScriptError when a field does not fit."""
    validate(spec)
    lines = directives(spec)
    launcher = LAUNCHERS[spec.launcher]
    setup = _MODULES.format(names=" ".join(spec.modules)) if spec.modules else ""
    for name, value in {**launcher.environment, **spec.environment}.items():
        setup += f"export {name}={value}\n"
    command = " ".join([*launcher.words(spec), *spec.command])
    body = _BODY.format(directory=spec.directory, setup=setup, command=command)
    text = "\n".join(["#!/bin/bash", *lines, body])
    found = sum(line.startswith(("#PBS", "#SBATCH")) for line in text.splitlines())
    if found != len(lines) or len(set(lines)) != len(lines):
        raise BatchScriptError("directives", f"{len(lines)} were asked for, {found} came out")
    return text
