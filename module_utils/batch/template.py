"""Put a site's own lines around a batch script by a template.

A template is a script with a line ``@directives@`` and, last, a line ``@script@``. Only comments may come before the
first, because a scheduler reads directives up to the first command. Between the two, the site may add directives
that the description does not set, and then commands."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from .dialect import Dialect
from .registry import of_all
from .spec import BatchScriptError

DIRECTIVES_HERE = "@directives@"
SCRIPT_HERE = "@script@"
PLAIN = f"#!/bin/bash\n{DIRECTIVES_HERE}\n{SCRIPT_HERE}\n"


def fill(template: str, directives: Sequence[str], script: tuple[str, str, str], dialect: Dialect) -> tuple[str, int]:
    """Return the template with its marks replaced, and its number of directives.

    ``directives`` are whole lines with their prefix. ``script`` has three parts: the text before the site's
    commands, the text that is added there if the site has commands, and the text after them. Raises BatchScriptError
    (field ``template``) with the number of the line that would break the script."""
    if not isinstance(template, str):
        raise BatchScriptError("template", f"a text, got {template!r}")
    lines = template.split("\n")
    first, last = _places(lines)
    _check_head(lines[:first])
    added = _check_middle(lines[first + 1 : last], first + 2, directives, dialect)
    begin = next((number for number in range(first + 1, last) if _is_command(lines[number])), last)
    before, guard, after = script
    head = "\n".join([*lines[:first], *directives, *lines[first + 1 : begin], before])
    site = "\n".join([guard.rstrip("\n"), *lines[begin:last], ""]) if begin < last else ""
    return head + site + after, added


def commands(template: str) -> str:
    """Return the site's commands alone, at their line numbers in the template."""
    lines = template.split("\n")
    return "\n".join(line if _is_command(line) else "" for line in lines[: lines.index(SCRIPT_HERE)])


def _is_command(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#") and line not in (DIRECTIVES_HERE, SCRIPT_HERE)


def _refuse(number: int, reason: str) -> None:
    raise BatchScriptError("template", f"line {number}: {reason}")


def _places(lines: Sequence[str]) -> tuple[int, int]:
    for mark in (DIRECTIVES_HERE, SCRIPT_HERE):
        if lines.count(mark) != 1:
            raise BatchScriptError("template", f"one line must be {mark} and nothing else, found {lines.count(mark)}")
    first, last = lines.index(DIRECTIVES_HERE), lines.index(SCRIPT_HERE)
    if last < first:
        _refuse(last + 1, f"{DIRECTIVES_HERE} comes before {SCRIPT_HERE}")
    for number, line in enumerate(lines, 1):
        if re.search(r"[^\x20-\x7e\t]", line):
            _refuse(number, "plain ASCII only, without control characters")
        if line.endswith("\\"):
            _refuse(number, "no line may end with a backslash, which joins it to the next")
        if number > last + 1 and line.strip():
            _refuse(number, f"nothing may follow {SCRIPT_HERE}, which ends the job")
    return first, last


def _check_head(head: Sequence[str]) -> None:
    if not head or head[0] != "#!/bin/bash":
        _refuse(1, "must be #!/bin/bash")
    for number, line in enumerate(head, 1):
        if line.strip() and not line.startswith("#"):
            _refuse(number, f"only comments may come before {DIRECTIVES_HERE}: a scheduler stops reading at a command")
        if line.startswith(of_all("prefix")):
            _refuse(number, f"directives come after {DIRECTIVES_HERE}")


def _check_middle(lines: Sequence[str], begin: int, directives: Sequence[str], dialect: Dialect) -> int:
    """Return the number of directives that the lines add.

    ``begin`` is the first line's number."""
    taken = dialect.never.union(*(_sets(line, dialect) or () for line in directives))
    added, begun = 0, False
    for number, line in enumerate(lines, begin):
        if not line.startswith(of_all("prefix")):
            begun = begun or _is_command(line)
            continue
        if begun:
            _refuse(number, "schedulers ignore a directive after a command; move it before the first command")
        options = {line} if line in dialect.verbatim else _sets(line, dialect)
        if options is None:
            _refuse(number, f"write one option a line, as in '{dialect.prefix} {dialect.example}'")
        clash = sorted(option for option in options if _is_one_of(option, taken))
        if clash:
            _refuse(number, f"{', '.join(clash)}: the description sets it, or no template may set it")
        taken |= options
        added += 1
    return added


def _is_one_of(option: str, taken: Set[str]) -> bool:
    """Return whether the option, or a long option that it abbreviates, is taken."""
    return option in taken or (option.startswith("--") and any(one.startswith(option) for one in taken))


def _sets(line: str, dialect: Dialect) -> set[str] | None:
    """Return the options that a directive sets.

    For example ``{"-q"}``, ``{"--time"}``, or with resources ``{"-l nodes", "-l walltime"}``. None for a line that
    does not have the dialect's form."""
    prefix, _, option = line.partition(" ")
    match = dialect.option.fullmatch(option) if prefix == dialect.prefix else None
    if not match:
        return None
    if match["name"] in ("-l", "-W"):
        return {f"{match['name']} {part.split('=')[0].lower()}" for part in (match["value"] or "").split(",")}
    return {match["name"]}
