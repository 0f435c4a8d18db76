"""Check the fields of a batch job's description.

Quoting alone does not keep a field from adding a line (``shlex.quote`` keeps newlines), so every field has a
whitelist, and control characters fit none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .launchers import LAUNCHERS
from .registry import DIALECTS, of_all
from .spec import NAME, BatchScriptError, BatchSpec, Launch, Node, parse_walltime, require

QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
PATH = re.compile(r"/[A-Za-z0-9_./+=@-]{1,1023}")
MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./+-]{0,127}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
VALUE = re.compile(r"[A-Za-z0-9_./:,+=@%-]{0,1024}")
WORD = re.compile(r"[A-Za-z0-9_./:,+=@%-]{1,1024}")
MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
ARRAY = re.compile(r"([0-9]{1,6})-([0-9]{1,6})(?:%([0-9]{1,6}))?")
WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

# Names that an environment must not set, with the fix; those of schedulers and launchers are added.
RESERVED = {
    re.compile(r"PATH|IFS|CDPATH|ENV|BASH.*|SHELLOPTS|PS4|LD_PRELOAD|LD_AUDIT"): "it changes what the script itself "
    "runs: use modules or the prologue",
    re.compile(r"UID|EUID|PPID|GROUPS|FUNCNAME|DIRSTACK|PIPESTATUS|PWD|_"): "the shell sets it itself",
    re.compile(r"rc_.*|WORKSPACE|LOADEDMODULES|_LMFILES_"): "the script needs it for itself",
}

MAIL_ON = {"begin": None, "end": None, "abort": None}
CONDITIONS = {"after": None, "afterok": None, "afternotok": None, "afterany": None}


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


def _variables(name: str, values: object) -> None:
    if not isinstance(values, Mapping):
        raise BatchScriptError(name, f"a mapping, got {values!r}")
    for variable, value in values.items():
        _text(name, variable, VARIABLE, "a variable's name")
        _text(f"{name}[{variable}]", value, VALUE, "a value of letters, digits and _./:,+=@%-")


def _environment(spec: BatchSpec) -> None:
    _variables("environment", spec.environment)
    needed = {*of_all("job_id_env"), *of_all("index_env"), *LAUNCHERS[spec.launcher].environment}
    prefixes = tuple(prefix for dialect in DIALECTS.values() for prefix in dialect.env_prefixes)
    for name in spec.environment:
        reasons = [reason for names, reason in RESERVED.items() if names.fullmatch(name)]
        if reasons or name in needed or name.startswith(prefixes):
            raise BatchScriptError(f"environment[{name}]", (reasons or ["it is the scheduler's or the launcher's"])[0])


def _file(name: str, value: object) -> None:
    _text(name, value, PATH, "an absolute path of letters, digits and _./+=@-")
    parts = str(value).split("/")[1:]
    if "" in parts or "." in parts or ".." in parts:
        raise BatchScriptError(name, f"no empty part, '.' or '..' and no closing slash, got {value!r}")


def _mail(spec: BatchSpec) -> None:
    _texts("mail_to", spec.mail_to, MAIL, "an address")
    if not isinstance(spec.mail_on, (list, tuple)):
        raise BatchScriptError("mail_on", f"a list, got {spec.mail_on!r}")
    for position, word in enumerate(spec.mail_on):
        _choice(f"mail_on[{position}]", word, MAIL_ON)
    if bool(spec.mail_to) != bool(spec.mail_on):
        raise BatchScriptError("mail_on", "set mail_to and mail_on together, or neither")


def _after(spec: BatchSpec) -> None:
    if not isinstance(spec.after, Mapping):
        raise BatchScriptError("after", f"a mapping, got {spec.after!r}")
    for condition, ids in spec.after.items():
        _choice("after", condition, CONDITIONS)
        _texts(f"after[{condition}]", ids, DIALECTS[spec.dialect].job_id, f"a job id of {spec.dialect}'s")
        if not ids:
            raise BatchScriptError(f"after[{condition}]", "names no job")


def _array(value: str) -> None:
    _text("array", value, ARRAY, "first-last, or first-last%most")
    first, last, most = (int(part) if part else None for part in ARRAY.fullmatch(value).groups())
    require(first <= last, "array", "first <= last", f"{first} > {last}")
    require(most != 0, "array", "most >= 1", f"most = {most}")


def _geometry(spec: BatchSpec) -> None:
    node, launch = spec.node, spec.launch
    for name, value, kind in (("node", node, Node), ("launch", launch, Launch)):
        if not isinstance(value, kind):
            raise BatchScriptError(name, f"a {kind.__name__}, got {value!r}")
    counts = {
        "nodes": spec.nodes,
        "cores_per_node": spec.cores_per_node,
        "node.cores": node.cores,
        "node.numa_nodes": node.numa_nodes,
        "node.hyperthreads": node.hyperthreads,
        "launch.n": launch.n,
        "launch.N": launch.N,
        "launch.d": launch.d,
    }
    for name, value in counts.items():
        _count(name, value)
    _count("launch.j", launch.j, highest=2)
    if launch.S is not None:
        _count("launch.S", launch.S)
    if not isinstance(launch.cc, str):
        raise BatchScriptError("launch.cc", f"a text, got {launch.cc!r}")
    if not isinstance(launch.b, bool):
        raise BatchScriptError("launch.b", f"true or false, got {launch.b!r}")
    _variables("launch.e", launch.e)
    cores = node.cores
    require(
        spec.cores_per_node <= cores,
        "cores_per_node",
        "cores_per_node <= node.cores",
        f"{spec.cores_per_node} > {cores}",
    )
    require(
        node.numa_nodes <= cores, "node.numa_nodes", "node.numa_nodes <= node.cores", f"{node.numa_nodes} > {cores}"
    )


def validate(spec: BatchSpec) -> None:
    """Check every field. Raises BatchScriptError for the first that does not fit."""
    _text("name", spec.name, NAME, "a letter, then at most 14 letters, digits and _.-")
    _text("queue", spec.queue, QUEUE, "letters, digits and _.-")
    for name, value in (("account", spec.account), ("project", spec.project)):
        if value is not None:
            _text(name, value, ACCOUNT, "letters, digits and _.:-")
    _choice("dialect", spec.dialect, DIALECTS)
    _choice("launcher", spec.launcher, LAUNCHERS)
    for name, instead in DIALECTS[spec.dialect].lacks.items():
        if getattr(spec, name):
            raise BatchScriptError(name, instead)
    _file("directory", spec.directory)
    for name, value in (("prologue", spec.prologue), ("epilogue", spec.epilogue)):
        if value is not None:
            _file(name, value)
    if spec.workspace is not None:
        _text("workspace", spec.workspace, WORKSPACE, "a workspace's name of letters, digits and _.-")
    parse_walltime(spec.walltime)
    _geometry(spec)
    _mail(spec)
    _after(spec)
    if spec.array is not None:
        _array(spec.array)
    _texts("modules", spec.modules, MODULE, "a module's name of letters, digits and _./+-")
    _texts("export", spec.export, VARIABLE, "a variable's name")
    _texts("command", spec.command, WORD, "a word of letters, digits and _./:,+=@%-")
    if not spec.command or spec.command[0].startswith("-") or "=" in spec.command[0]:
        raise BatchScriptError("command", "its first word must be a program")
    _environment(spec)
    LAUNCHERS[spec.launcher].check(spec)
