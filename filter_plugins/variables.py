"""Filter that checks the variables of an inventory against the roles' argument specs and the site's own."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# Ansible's loader uses PyYAML's C loader if available, which is ten times as fast.
from ansible.module_utils.common.yaml import yaml_load

MAY_QUOTE = "YAML reads it as a number or a truth value"


def role_options(roles: str | Path) -> dict[str, dict[str, dict]]:
    """Return {role: {option: its specification}} of every role below `roles`, from all entry points."""
    known = {}
    for path in sorted(Path(roles).glob("*/meta/argument_specs.yml")):
        entry_points = yaml_load(path.read_text())["argument_specs"].values()
        known[path.parents[1].name] = {
            name: option for entry in entry_points for name, option in (entry.get("options") or {}).items()
        }
    return known


def names_set_in(*paths: Path) -> set[str]:
    """Return the names of the variables that YAML files set. A vault's names are unknown."""
    texts = [path.read_text() for path in paths if path.is_file()]
    return {name for text in texts if not text.startswith("$ANSIBLE_VAULT") for name in yaml_load(text) or {}}


def plain(value: object) -> object:
    """Return a copy of a value without Ansible's lazy containers, whose deep copies take seconds."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def nearest(name: str, names: list[str]) -> str:
    """Return "; did you mean x?" for the most similar of `names`, or an empty text."""
    similar = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {similar[0]}?" if similar else ""


def name_fault(name: str, roles: dict[str, dict], others: set[str]) -> str | None:
    """Return the fix for a variable name that nothing reads, else None.

    A name belongs to the role with the longest matching prefix. A name without a role's prefix may be a helper of
    the inventory: it is a fault only if it resembles one of `others`. A leading underscore marks internal names.
    """
    if name in others:
        return None
    role = max((role for role in roles if name.startswith(f"{role}_")), key=len, default=None)
    if role is not None:
        if name in roles[role]:
            return None
        # Compare without the common prefix, which would make all names similar.
        short = nearest(name.removeprefix(f"{role}_"), [option.removeprefix(f"{role}_") for option in roles[role]])
        return f"no variable of the role {role}" + short.replace("mean ", f"mean {role}_")
    similar = difflib.get_close_matches(name, sorted(others), n=1, cutoff=0.85)
    return f"unknown; did you mean {similar[0]}?" if similar else None


def unknown_keys(where: str, value: object, option: Mapping) -> Iterator[tuple[str, str]]:
    """Yield (place, fix) for each key, at any depth, that the options do not have, and for each unquoted text."""
    options = option.get("options")
    if isinstance(value, list):
        element = {**option, "type": option.get("elements", "raw")}
        for number, entry in enumerate(value):
            yield from unknown_keys(f"{where}[{number}]", entry, element)
    elif isinstance(value, Mapping) and options:
        for key, inner in value.items():
            if key in options:
                yield from unknown_keys(f"{where}.{key}", inner, options[key])
            else:
                yield f"{where}.{key}", "no such key" + nearest(key, list(options))
    elif option.get("type") == "str" and isinstance(value, bool | int | float):
        yield where, f"{MAY_QUOTE}; put it in quotes"


def value_faults(name: str, value: object, option: Mapping) -> Iterator[tuple[str, str]]:
    """Yield (place, fix) for everything wrong with a variable's value, without the value of a secret."""
    unknown = list(unknown_keys(name, value, option))
    yield from unknown
    if unknown or option.get("no_log"):
        return
    for message in ArgumentSpecValidator({name: dict(option)}).validate({name: value}).error_messages:
        yield name, message


def lost_names(inventory: Path, wired: set[str]) -> set[str]:
    """Return the names that an inventory sets for all hosts, although the project's own value wins.

    Ansible prefers group_vars/all beside the playbook to group_vars/all of an inventory.
    """
    everywhere = inventory / "group_vars/all"
    return names_set_in(*sorted(everywhere.glob("*.yml")), everywhere.with_suffix(".yml")) & wired


def variable_faults(
    hostvars: Mapping, hosts: list[str], inventory: str, project: str, values: bool = True
) -> list[dict]:
    """Return the faults of the variables that an inventory sets: [{host, place, fix}].

    hostvars: variables by host. hosts: names of the hosts to check. inventory: its directory. project: directory of
    the roles, of group_vars/all with the variables that the project computes, and of playbooks/vars/site_variables.yml.
    values: whether to check the values too, which needs all secrets.
    """
    specs = role_options(Path(project, "roles"))
    wired = names_set_in(*sorted(Path(project, "group_vars/all").glob("*.yml")))
    others = yaml_load(Path(project, "playbooks/vars/site_variables.yml").read_text())["options"]
    options = {name: option for role in specs.values() for name, option in role.items()} | others
    found = {(name, "is computed by group_vars/all; remove it"): hosts for name in lost_names(Path(inventory), wired)}
    for host in hosts:
        variables = hostvars[host]
        for name, option in others.items():
            if option.get("required") and name not in variables:
                found.setdefault((name, f"is missing: {option['description']}"), []).append(host)
        for name in sorted(variables):
            if name.startswith(("_", "ansible_", "vault_")):
                continue
            fix = name_fault(name, specs, wired | set(others))
            faults = [(name, fix)] if fix else []
            if values and name in options and name not in wired:
                # An expression with `hostvars` has no value here: the roles validate it on the host.
                with contextlib.suppress(AnsibleError):
                    faults += value_faults(name, plain(variables[name]), options[name])
            for fault in faults:
                found.setdefault(fault, []).append(host)
    return [
        {"host": "all hosts" if len(at) == len(hosts) else ", ".join(at), "place": place, "fix": fix}
        for (place, fix), at in found.items()
    ]


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {"variable_faults": variable_faults}
