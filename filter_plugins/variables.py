"""Filter that finds misspelt role variables, which argument_specs do not report."""

from __future__ import annotations

import difflib
from pathlib import Path

# Ansible's loader uses PyYAML's C loader if available, which is ten times as fast.
from ansible.module_utils.common.yaml import yaml_load


def role_options(roles: str | Path) -> dict[str, set[str]]:
    """Return the option names of every role below `roles`, from all entry points."""
    known = {}
    for path in sorted(Path(roles).glob("*/meta/argument_specs.yml")):
        entry_points = yaml_load(path.read_text())["argument_specs"].values()
        known[path.parents[1].name] = {name for entry in entry_points for name in entry.get("options") or {}}
    return known


def misspelt_variables(names: list[str], roles: str | Path) -> list[str]:
    """Return a sentence for each name with a role's prefix that is not its option.

    names: variable names. roles: directory of the roles. A name belongs to the role with the longest matching prefix;
    names with a leading underscore are internal and accepted.
    """
    known = role_options(roles)
    found = []
    for name in sorted(names):
        role = max((role for role in known if name.startswith(f"{role}_")), key=len, default=None)
        if role is None or name in known[role]:
            continue
        # Compare without the common prefix, which would make all names similar.
        settings = [option.removeprefix(f"{role}_") for option in known[role]]
        nearest = difflib.get_close_matches(name.removeprefix(f"{role}_"), settings, n=1)
        hint = f": did you mean {role}_{nearest[0]}?" if nearest else ""
        found.append(f"{name} is no variable of the role {role}{hint}")
    return found


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {"misspelt_variables": misspelt_variables}
