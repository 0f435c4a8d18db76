"""Start a program on the compute nodes: words of the launchers, rules of geometry.

A launcher is one entry of ``LAUNCHERS``. Every value has passed the checks of ``checks.py`` before it gets here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .spec import BatchScriptError, BatchSpec, require

CPU_LIST = re.compile(r"[0-9]+([-,:][0-9]+)*")
CPU_BINDINGS = ("cpu", "none", "depth", "numa_node")


@dataclass(frozen=True)
class Launcher:
    """Words before the command, rules of its geometry, environment that it needs."""

    words: Callable[[BatchSpec], list[str]]
    check: Callable[[BatchSpec], None]
    environment: Mapping[str, str] = field(default_factory=dict)


def _check_spread(spec: BatchSpec) -> None:
    """Check the rules of every launcher that starts processes on several nodes."""
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


def check_plain(spec: BatchSpec) -> None:
    _check_no_aprun_options(spec)
    _check_spread(spec)


def _check_no_aprun_options(spec: BatchSpec) -> None:
    """Refuse aprun's own options for another launcher, which would ignore them."""
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
    check_plain(spec)


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
    return ["mpiexec", "-n", str(spec.launch.n)]  # the one option that all implementations have


LAUNCHERS: dict[str, Launcher] = {
    # Without APRUN_XFER_LIMITS only the core and CPU limits travel with the program.
    "aprun": Launcher(_aprun, _check_aprun, {"APRUN_XFER_LIMITS": "1"}),
    # Under --export=NONE srun would start the program with an empty environment.
    "srun": Launcher(_srun, check_plain, {"SLURM_EXPORT_ENV": "ALL"}),
    "mpiexec": Launcher(_mpiexec, check_plain),
    "none": Launcher(lambda spec: [], _check_alone),
}
