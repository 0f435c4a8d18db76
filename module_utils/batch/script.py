"""Batch scripts for Torque, PBS Pro and Slurm, made from a checked description (batch_spec.py).

Quoting alone does not keep a field from adding a line (``shlex.quote`` keeps newlines), so every field has a whitelist,
control characters fit none of them, and ``render`` counts the directives that came out against those that went in.
User text has no place here: a compute node asks the service for the renderer's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .launchers import DIALECTS, LAUNCHERS, of_all, require
from .spec import NAME, BatchScriptError, BatchSpec, Launch, Node, parse_walltime
from .template import PLAIN, fill

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

# What an environment may not set, with what to do instead; the names that a scheduler and the script use come on top.
RESERVED = {
    re.compile(r"PATH|IFS|CDPATH|ENV|BASH.*|SHELLOPTS|PS4|LD_PRELOAD|LD_AUDIT"): "it changes what the script itself "
    "runs: use modules or the prologue",
    re.compile(r"UID|EUID|PPID|GROUPS|FUNCNAME|DIRSTACK|PIPESTATUS|PWD|_"): "it is the shell's own",
    re.compile(r"rc_.*|WORKSPACE|LOADEDMODULES|_LMFILES_"): "the script needs it for itself",
    re.compile(r"(?:PBS|SLURM|SLURMD|SBATCH)_.*"): "it is the scheduler's",
}

MAIL_ON = {"begin": None, "end": None, "abort": None}
CONDITIONS = {"after": None, "afterok": None, "afternotok": None, "afterany": None}


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


def _variables(name: str, values: object) -> None:
    if not isinstance(values, Mapping):
        raise BatchScriptError(name, f"a mapping, got {values!r}")
    for variable, value in values.items():
        _text(name, variable, VARIABLE, "a variable's name")
        _text(f"{name}[{variable}]", value, VALUE, "a value of letters, digits and _./:,+=@%-")


def _environment(spec: BatchSpec) -> None:
    _variables("environment", spec.environment)
    needed = {*of_all("job_id_env"), *of_all("index_env"), *LAUNCHERS[spec.launcher].environment}
    for name in spec.environment:
        reasons = [reason for names, reason in RESERVED.items() if names.fullmatch(name)]
        if reasons or name in needed:
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
        raise BatchScriptError("mail_on", "mail_to and mail_on belong together: who is told, and when")


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
    """Returns when every field fits; raises BatchScriptError for the first that does not."""
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


# -- the script --------------------------------------------------------------------------------------------------------

# Comes before the site's own lines. A shell that ends before the command has begun, for whatever reason, is told by the
# exit file, with rc_stage as its code, or 143 if TERM ended it. The file appears by rename: who sees it sees all of it.
# A fatal signal in the middle of an assignment leaves rc_stage empty.
_FUNCTIONS = """\
rc_finish() {{
    local file="{exit}"
    set +eu
    [[ $1 =~ ^[0-9]{{1,3}}$ ]] || set -- 143
    {epilogue}printf '%s %s\\n' "{job_id}" "$1" >"$file.tmp" &&
        mv "$file.tmp" "$file"
    exit "$1"
}}
rc_guard() {{
    set +eu +o pipefail
    trap 'rc_finish "$rc_stage"' EXIT
    trap 'rc_stage=143; exit 143' TERM
}}
"""

_SITE = "rc_stage=94\nrc_guard\n"

# bash can take a child's status from the kernel and then lose it, when a trap interrupts the builtin `wait` at that
# moment. So the command runs in the foreground of a coprocess, whose trap waits for the command's end. The coprocess
# writes two lines: the process id that gets TERM, and the exit code. The script waits only for the coprocess to end.
# It begins when the script has the pipe: bash closes the pipe of a coprocess that has ended. sh writes the process id:
# a bash with traps drops a TERM that arrives between the line and `exec`.
_BODY = """\
rc_guard
umask 077
rc_stage=90
cd {directory} || exit
{setup}rc_stage=143
set -u
rc_child='' rc_term='' rc_code=''
rc_command() {{
    trap : TERM
    read -r _ || exit
    sh -c 'echo $$; exec "$@" >&3 3>&-' sh \\
{command} </dev/null
    echo "$?"
}}
trap 'rc_term=yes; [ -z "$rc_child" ] || kill -TERM "$rc_child" 2>/dev/null' TERM
exec 3>&1
coproc rc_command
rc_keeper=$!
exec 4<&"${{COPROC[0]}}"
echo go >&"${{COPROC[1]}}"
trap - EXIT
read -r rc_child <&4
[ -z "$rc_term" ] || kill -TERM "$rc_child" 2>/dev/null
while kill -0 "$rc_keeper" 2>/dev/null; do wait "$rc_keeper"; done
rc_child=''
read -r rc_code <&4
rc_finish "$rc_code"
"""

# One by one, because Environment Modules before version 4 end with 0 whatever happened; what was loaded is in the list,
# or has changed it where its name there is another one (a default version).
_MODULES = """\
rc_stage=91
command -v module >/dev/null || . /etc/profile
for rc_module in {names}; do
    rc_before=${{LOADEDMODULES-}}
    module load "$rc_module" || exit
    case ":${{LOADEDMODULES-}}:" in
    *":$rc_module:"* | *":$rc_module/"*) ;;
    ":$rc_before:") echo "module $rc_module did not load" >&2; exit ;;
    esac
done
"""

_WORKSPACE = """\
rc_stage=92
WORKSPACE=$(ws_find {name}) && [ -d "$WORKSPACE" ] || exit
export WORKSPACE
"""

# Not in a list with ||, in which a prologue's own set -e would be passed over.
_PROLOGUE = """\
rc_stage=93
. {prologue}
rc_code=$?; [ "$rc_code" -eq 0 ] || exit "$rc_code"
set +eu +o pipefail
"""


def directives(spec: BatchSpec) -> list[str]:
    """The scheduler's directive lines of a checked description."""
    dialect = DIALECTS[spec.dialect]
    return [f"{dialect.prefix} {line}" for line in dialect.directives(spec)]


def render(spec: BatchSpec, template: str = PLAIN) -> str:
    """The script's text, in a site's template (batch_template.py); raises BatchScriptError when a field, or the
    template, does not fit."""
    validate(spec)
    ours = directives(spec)
    text, added = fill(template, ours, (_functions(spec), _SITE, _body(spec)), DIALECTS[spec.dialect])
    found = sum(line.startswith(of_all("prefix")) for line in text.splitlines())
    if found != len(ours) + added or len(set(ours)) != len(ours):
        raise BatchScriptError("directives", f"{len(ours) + added} were asked for, {found} came out")
    return text


def _first_set(names: Iterable[str], otherwise: str) -> str:
    """The shell's text for the first of some variables that has a value."""
    for name in reversed(tuple(names)):
        otherwise = f"${{{name}:-{otherwise}}}"
    return otherwise


def _functions(spec: BatchSpec) -> str:
    # By whichever scheduler's name for them. Each job in an array has an exit file of its own.
    index = f".{_first_set(of_all('index_env'), '')}" if spec.array else ""
    return _FUNCTIONS.format(
        epilogue=f'{spec.epilogue} "$1" </dev/null\n    ' if spec.epilogue else "",
        exit=f"{spec.directory}/exit{index}",
        job_id=_first_set(of_all("job_id_env"), "unknown"),
    )


def _body(spec: BatchSpec) -> str:
    launcher = LAUNCHERS[spec.launcher]
    setup = _MODULES.format(names=" ".join(spec.modules)) if spec.modules else ""
    if spec.workspace:
        setup += _WORKSPACE.format(name=spec.workspace)
    for name, value in {**launcher.environment, **spec.environment}.items():
        setup += f"export {name}={value}\n"
    if spec.prologue:
        setup += _PROLOGUE.format(prologue=spec.prologue)
    return _BODY.format(
        directory=spec.directory,
        setup=setup,
        command=" ".join([*launcher.words(spec), *spec.command]),
    )
