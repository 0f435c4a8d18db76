"""Compare the lab's stand-in for aprun with the rules of the module."""

from __future__ import annotations

import dataclasses
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from module_utils.batch.script import render
from module_utils.batch.spec import BatchScriptError, Launch, Node
from tests.unit.batch_script.cases import BASE

APRUN = Path(__file__).parents[3] / "lab/images/cluster/bin/aprun"
# Two NUMA nodes of 12 cores with two threads each, two nodes reserved.
NODE, NODES = Node(cores=24, numa_nodes=2, hyperthreads=2), 2
GEOMETRY = {"cores": 24, "numa": 2, "threads": 2}


@pytest.fixture(scope="module")
def aprun() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("aprun_stand_in", str(APRUN))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def words(launch: Launch) -> list[str]:
    given = ["-n", launch.n, "-N", launch.N, "-d", launch.d, "-j", launch.j, "-cc", launch.cc]
    given += ["-S", launch.S] if launch.S is not None else []
    return [str(word) for word in [*given, "-b", "-q", "/bin/true"]]


def refusal(aprun: ModuleType, monkeypatch, arguments: list[str]) -> str | None:
    monkeypatch.setattr(sys, "argv", ["aprun", *arguments])
    try:
        aprun.check(aprun.arguments(), NODES, GEOMETRY)
    except SystemExit as end:
        return str(end)
    return None


# not recorded: aprun's refusals; form: lab/images/cluster/bin/aprun, which has these texts
REFUSED = [
    (Launch(n=1, N=2), "-N 2 exceeds -n 1"),
    (Launch(n=0), "-n 0 is too small"),
    (Launch(d=0), "-d 0 is too small"),
    (Launch(n=1, N=0), "-N 0 is too small"),
    (Launch(S=0), "-S 0 is too small"),
    (Launch(j=3), "-j 3 exceeds the 2 cpus per compute unit"),
    (Launch(d=25), "-N 1 times -d 25 exceeds the 24 cpus of a node"),
    (Launch(d=49, j=2), "-N 1 times -d 49 exceeds the 48 cpus of a node"),
    (Launch(n=4, N=2, d=13), "-N 2 times -d 13 exceeds the 24 cpus of a node"),
    (Launch(n=3, N=1, d=1), "apsched: claim exceeds reservation's node-count: -n 3 -N 1 needs more than 2"),
    (Launch(n=4, N=4, S=1), "-N 4 exceeds -S 1 on 2 NUMA nodes"),
    (Launch(n=2, N=2, d=8, S=2), "-S 2 times -d 8 exceeds the 12 cpus of a NUMA node"),
    (Launch(cc="near"), "-cc near is neither a list of cpus nor none, cpu, depth, numa_node"),
]


@pytest.mark.parametrize(("launch", "text"), REFUSED)
def test_aprun_and_the_module_refuse_the_same(aprun, monkeypatch, launch: Launch, text: str) -> None:
    assert refusal(aprun, monkeypatch, words(launch)) == f"aprun: {text}"
    with pytest.raises(BatchScriptError):
        render(dataclasses.replace(BASE, nodes=NODES, node=NODE, launch=launch))


TAKEN = [
    Launch(),
    Launch(d=24),
    Launch(d=48, j=2, cc="depth"),
    Launch(n=2, N=1, d=24, cc="numa_node"),
    Launch(n=4, N=2, d=12, S=1, cc="0-11,12-23"),
    Launch(n=48, N=24, cc="cpu"),
]


@pytest.mark.parametrize("launch", TAKEN)
def test_aprun_and_the_module_accept_the_same(aprun, monkeypatch, launch: Launch) -> None:
    assert refusal(aprun, monkeypatch, words(launch)) is None
    assert " -b -q " in render(dataclasses.replace(BASE, nodes=NODES, node=NODE, launch=launch))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "no program to run"),
        (["-n", "1"], "no program to run"),
        (["-B", "-n", "1", "/bin/true"], "-B takes -n, -N, -d and -m from the reservation: they cannot be given too"),
        (["-B", "-m", "5", "/bin/true"], "-B takes -n, -N, -d and -m from the reservation: they cannot be given too"),
    ],
)
def test_senseless_command_line_is_refused(aprun, monkeypatch, arguments: list[str], text: str) -> None:
    assert refusal(aprun, monkeypatch, arguments) == f"aprun: {text}"
