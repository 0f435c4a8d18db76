"""How schedulers want their directives, and how launchers bring a program onto the compute nodes.

A dialect is one entry of ``DIALECTS``, a launcher one of ``LAUNCHERS``; nothing else knows their names, and a site says
which ones it has. Every value that gets here has passed the checks of batch_script.py; the rules
of a launcher's geometry are here, with the launcher.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .spec import BatchScriptError, BatchSpec, format_walltime, parse_walltime

CPU_LIST = re.compile(r"[0-9]+([-,:][0-9]+)*")
CPU_BINDINGS = ("cpu", "none", "depth", "numa_node")


# -- dialects: a scheduler's directives are one entry here -------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """How one scheduler reads a script: the prefix of its directives, what they are for a description, and which fields
    it has nothing for, with what to do instead.

    ``option`` is the form, with an example, in which a site's template may write a directive: one that can be compared
    with those of the description. ``never`` are the options that it may not have even where the description does not
    set them, ``verbatim`` are whole lines that it may have although they are no directives of this dialect.
    ``array`` is the option for an array, ``job_id`` what a job to wait for may be called; ``job_id_env`` and
    ``index_env`` are where a job finds its own id and its index in an array."""

    prefix: str
    directives: Callable[[BatchSpec], list[str]]
    array: str
    job_id: re.Pattern[str]
    job_id_env: str
    index_env: str
    never: frozenset[str]
    lacks: Mapping[str, str] = field(default_factory=dict)
    option: re.Pattern[str] = re.compile(r"(?P<name>-[A-Za-z])(?: (?P<value>[^\s'\"]+))?")
    example: str = "-l feature=ssd"
    verbatim: frozenset[str] = frozenset()


def _pbs_mail(spec: BatchSpec) -> list[str]:
    letters = "".join(letter for word, letter in (("abort", "a"), ("begin", "b"), ("end", "e")) if word in spec.mail_on)
    return [f"-m {letters}", f"-M {','.join(spec.mail_to)}"] if letters else ["-m n"]


def _dependencies(spec: BatchSpec) -> str:
    return ",".join(":".join([condition, *ids]) for condition, ids in spec.after.items())


def _pbs(
    resources: Callable[[BatchSpec], list[str]], array: str, output: str = "{name}.out"
) -> Callable[[BatchSpec], list[str]]:
    """Directives that the PBS family shares around its differing resource lists. No ``-V``: it fills the server's
    answers with the submitting shell; no rerun: it would run one job id twice."""

    def directives(spec: BatchSpec) -> list[str]:
        lines = [f"-N {spec.name}", f"-q {spec.queue}"]
        if spec.account:
            lines.append(f"-A {spec.account}")
        if spec.project:
            lines.append(f"-P {spec.project}")
        lines += [f"-l {resource}" for resource in resources(spec)]
        lines.append(f"-l walltime={format_walltime(parse_walltime(spec.walltime))}")
        lines += ["-r n", "-j oe", *_pbs_mail(spec), "-S /bin/bash"]
        file = output if spec.array else "{name}.out"
        lines.append(f"-o {spec.directory}/{file.format(name=spec.name)}")
        if spec.array:
            lines.append(f"{array} {spec.array}")
        if spec.after:
            lines.append(f"-W depend={_dependencies(spec)}")
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
    kinds = {"abort": "FAIL", "begin": "BEGIN", "end": "END"}
    lines += [
        f"--nodes={spec.nodes}",
        f"--ntasks-per-node={spec.launch.N}",
        f"--cpus-per-task={spec.launch.d}",
        f"--time={format_walltime(parse_walltime(spec.walltime))}",
        "--no-requeue",
        f"--mail-type={','.join(kind for word, kind in kinds.items() if word in spec.mail_on) or 'NONE'}",
    ]
    if spec.mail_on:
        lines.append(f"--mail-user={','.join(spec.mail_to)}")
    lines.append(f"--output={spec.directory}/{spec.name}{'-%a' if spec.array else ''}.out")
    if spec.array:
        lines.append(f"--array={spec.array}")
    if spec.after:
        lines.append(f"--dependency={_dependencies(spec)}")
    lines.append(f"--export={','.join(spec.export) if spec.export else 'NONE'}")
    return lines


_PBS_ID = re.compile(r"[0-9]{1,18}(\[[0-9]{0,9}\])?(\.[A-Za-z0-9][A-Za-z0-9_.-]{0,252})?")
# Other words for what the description says (how much, when, arrays), and what would change what it can rely on: the
# submitting shell's environment, a job that asks for a terminal, waits to be released or is silent about its id.
_PBS_NEVER = frozenset(["-V", "-t", "-J", "-L", "-I", "-X", "-h", "-z", "-C"]) | frozenset(
    {
        *(f"-W {name}" for name in ("depend", "block", "interactive")),
        *(f"-l {name}" for name in ("nodes", "procs", "size", "mppwidth", "mppnppn", "mppdepth")),
        *(f"-l {name}" for name in ("ncpus", "select", "place", "mpiprocs", "ompthreads")),
    }
)
_SLURM_NEVER = frozenset(
    [
        "--array",
        "--dependency",
        "--ntasks",
        "--ntasks-per-core",
        "--ntasks-per-socket",
        "--ntasks-per-gpu",
        "--cpus-per-gpu",
        "--time-min",
        "--export-file",
        "--get-user-env",
        "--requeue",
        "--wrap",
        "--hold",
        "--wait",
        "--test-only",
        "--parsable",
        "--clusters",
    ]
)


def _torque_dialect(resources: Callable[[BatchSpec], list[str]]) -> Dialect:
    return Dialect(
        "#PBS",
        _pbs(resources, "-t"),  # Torque itself adds an array's index to the name of the output
        array="-t",
        job_id=_PBS_ID,
        job_id_env="PBS_JOBID",
        index_env="PBS_ARRAYID",
        never=_PBS_NEVER,
        lacks={"project": "Torque's -P names another user, not a project: use account"},
        # Slurm behind Torque's commands passes over -r n, and reads this.
        verbatim=frozenset({"#SBATCH --no-requeue"}),
    )


DIALECTS: dict[str, Dialect] = {
    "torque": _torque_dialect(_torque),
    "torque_cray": _torque_dialect(_torque_cray),
    "pbspro": Dialect(
        "#PBS",
        _pbs(_pbspro, "-J", "{name}-^array_index^.out"),
        array="-J",
        job_id=_PBS_ID,
        job_id_env="PBS_JOBID",
        index_env="PBS_ARRAY_INDEX",
        never=_PBS_NEVER,
    ),
    "slurm": Dialect(
        "#SBATCH",
        _slurm,
        array="--array",
        job_id=re.compile(r"[0-9]{1,18}(_[0-9]{1,9})?"),
        job_id_env="SLURM_JOB_ID",
        index_env="SLURM_ARRAY_TASK_ID",
        never=_SLURM_NEVER,
        lacks={"project": "Slurm charges accounts: use account"},
        option=re.compile(r"(?P<name>--[a-z][a-z-]+)(?:=(?P<value>[^\s'\"]+))?"),
        example="--constraint=ssd",
    ),
}


def of_all(name: str) -> tuple[str, ...]:
    """What all dialects have for one of their texts, each once: no script may have a directive that was not asked for,
    of any scheduler, and one scheduler may run another one's script."""
    return tuple(dict.fromkeys(getattr(dialect, name) for dialect in DIALECTS.values()))


# -- launchers: how the program gets onto the compute nodes is one entry here ------------------------------------------


@dataclass(frozen=True)
class Launcher:
    """The words before the command, the rules they bring, and what must be in the environment for them."""

    words: Callable[[BatchSpec], list[str]]
    check: Callable[[BatchSpec], None]
    environment: Mapping[str, str] = field(default_factory=dict)


def require(holds: bool, name: str, rule: str, numbers: str) -> None:
    """Raise BatchScriptError for a field unless its rule holds; ``numbers`` shows the rule with its values."""
    if not holds:
        raise BatchScriptError(name, f"{rule} does not hold: {numbers}")


def _check_spread(spec: BatchSpec) -> None:
    """What every launcher that starts processes on several nodes needs."""
    launch, cores = spec.launch, spec.cores_per_node
    require(1 <= launch.N <= launch.n, "launch.N", "1 <= N <= n", f"N = {launch.N}, n = {launch.n}")
    needed = -(-launch.n // launch.N)
    require(
        needed <= spec.nodes,
        "launch.n",
        "ceil(n/N) <= nodes",
        f"ceil({launch.n}/{launch.N}) = {needed} > {spec.nodes}",
    )
    require(
        launch.j <= spec.node.hyperthreads,
        "launch.j",
        "j <= node.hyperthreads",
        f"{launch.j} > {spec.node.hyperthreads}",
    )
    require(
        launch.N * launch.d <= cores * launch.j,
        "launch.d",
        "N*d <= cores_per_node*j",
        f"{launch.N}*{launch.d} = {launch.N * launch.d} > {cores}*{launch.j} = {cores * launch.j}",
    )


def _check_plain_spread(spec: BatchSpec) -> None:
    _check_letters(spec)
    _check_spread(spec)


def _check_letters(spec: BatchSpec) -> None:
    """What only aprun knows must not be asked of another launcher, which would pass over it."""
    launch = spec.launch
    asked_for = {"S": launch.S is not None, "cc": launch.cc != "none", "e": bool(launch.e), "b": not launch.b}
    for letter, asked in asked_for.items():
        if asked:
            raise BatchScriptError(f"launch.{letter}", f"aprun's alone, the launcher is {spec.launcher}")


def _check_aprun(spec: BatchSpec) -> None:
    launch, node = spec.launch, spec.node
    _check_spread(spec)
    if launch.cc not in CPU_BINDINGS and not CPU_LIST.fullmatch(launch.cc):
        raise BatchScriptError("launch.cc", f"one of {', '.join(CPU_BINDINGS)} or a CPU list, got {launch.cc!r}")
    if launch.S is not None:
        per_numa, room = node.cores // node.numa_nodes, launch.S * node.numa_nodes
        require(
            room >= launch.N,
            "launch.S",
            "N <= S*node.numa_nodes",
            f"{launch.N} > {launch.S}*{node.numa_nodes} = {room}",
        )
        require(
            launch.S * launch.d <= per_numa * launch.j,
            "launch.S",
            "S*d <= cores per NUMA node*j",
            f"{launch.S}*{launch.d} = {launch.S * launch.d} > {per_numa}*{launch.j} = {per_numa * launch.j}",
        )


def _check_alone(spec: BatchSpec) -> None:
    if spec.launch.n != 1:
        raise BatchScriptError("launch.n", f"without a launcher the command starts once, n = {spec.launch.n}")
    _check_plain_spread(spec)


def _aprun(spec: BatchSpec) -> list[str]:
    # -b: the binary is on a shared file system, do not ship it; -q: no resource line on the program's stdout.
    launch = spec.launch
    words = ["aprun", "-n", launch.n, "-N", launch.N, "-d", launch.d, "-j", launch.j]
    if launch.S is not None:
        words += ["-S", launch.S]
    words += ["-cc", launch.cc]
    for name, value in launch.e.items():
        words += ["-e", f"{name}={value}"]
    if launch.b:
        words.append("-b")
    return [str(word) for word in [*words, "-q"]]


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
    "srun": Launcher(_srun, _check_plain_spread, {"SLURM_EXPORT_ENV": "ALL"}),
    "mpiexec": Launcher(_mpiexec, _check_plain_spread),
    "none": Launcher(lambda spec: [], _check_alone),
}
