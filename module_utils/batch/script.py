"""Write batch scripts from a checked description, for every dialect and launcher.

``render`` counts the directives in the script against those of the description. A script has no text of a user's: a
compute node asks the service for the renderer's arguments.
"""

from __future__ import annotations

from collections.abc import Iterable

from .checks import validate
from .launchers import LAUNCHERS
from .registry import DIALECTS, of_all
from .spec import BatchScriptError, BatchSpec
from .template import PLAIN, fill

# Comes before the site's own lines. If the shell ends before the command starts, the exit file has rc_stage as its
# code, or 143 after TERM. The file appears by rename, so readers never see a part of it. A fatal signal during an
# assignment leaves rc_stage empty.
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

# bash loses a child's status if a trap interrupts the builtin `wait` right after the kernel gave it. So the command
# runs in the foreground of a coprocess, whose trap waits for the command's end. The coprocess writes two lines: the
# process id that gets TERM, and the exit code. The script waits only for the coprocess to end. The coprocess starts the
# command when the script has the pipe: bash closes the pipe of a coprocess that has ended. sh writes the process id: a
# bash with traps drops a TERM that arrives between the line and `exec`.
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

# One by one, because Environment Modules before version 4 always end with 0. A module is loaded if the list has its
# name, or changed: a default version is listed under another name.
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

# Not in a list with ||, in which bash ignores a prologue's own set -e.
_PROLOGUE = """\
rc_stage=93
. {prologue}
rc_code=$?; [ "$rc_code" -eq 0 ] || exit "$rc_code"
set +eu +o pipefail
"""


def directives(spec: BatchSpec) -> list[str]:
    """Return the scheduler's directive lines of a checked description."""
    dialect = DIALECTS[spec.dialect]
    return [f"{dialect.prefix} {line}" for line in dialect.directives(spec)]


def render(spec: BatchSpec, template: str = PLAIN) -> str:
    """Return the script's text in a site's template.

    Raises BatchScriptError when a field, or the template, does not fit."""
    validate(spec)
    ours = directives(spec)
    text, added = fill(template, ours, (_functions(spec), _SITE, _body(spec)), DIALECTS[spec.dialect])
    found = sum(line.startswith(of_all("prefix")) for line in text.splitlines())
    if found != len(ours) + added or len(set(ours)) != len(ours):
        raise BatchScriptError("directives", f"{len(ours) + added} were requested, the script has {found}")
    return text


def _first_set(names: Iterable[str], otherwise: str) -> str:
    """Return shell text for the first of some variables that has a value."""
    for name in reversed(tuple(names)):
        otherwise = f"${{{name}:-{otherwise}}}"
    return otherwise


def _functions(spec: BatchSpec) -> str:
    # Names of all schedulers: one may run another one's script. Each job of an array has an exit file of its own.
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
