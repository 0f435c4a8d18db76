"""Find misspelt role variables: argument_specs let a name that they do not know pass in silence."""

from __future__ import annotations

import difflib
from pathlib import Path

# Uses PyYAML's C loader where it exists, which is ten times as fast.
from ansible.module_utils.common.yaml import yaml_load


def role_options(roles: str | Path) -> dict[str, set[str]]:
    """Return the option names of every role below the directory `roles`, over all entry points."""
    known = {}
    for path in sorted(Path(roles).glob("*/meta/argument_specs.yml")):
        entry_points = yaml_load(path.read_text())["argument_specs"].values()
        known[path.parents[1].name] = {name for entry in entry_points for name in entry.get("options") or {}}
    return known


def misspelt_variables(names: list[str], roles: str | Path) -> list[str]:
    """Return a sentence for each name that begins like a role's variable and is none of that role's options.

    A name belongs to the role with the longest fitting prefix; names with a leading underscore are internal and pass.
    """
    known = role_options(roles)
    found = []
    for name in sorted(names):
        role = max((role for role in known if name.startswith(f"{role}_")), key=len, default=None)
        if role is None or name in known[role]:
            continue
        # The common prefix would make any two names alike.
        settings = [option.removeprefix(f"{role}_") for option in known[role]]
        nearest = difflib.get_close_matches(name.removeprefix(f"{role}_"), settings, n=1)
        found.append(f"{name} is no variable of the role {role}" + (f"; {role}_{nearest[0]} is" if nearest else ""))
    return found


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {"misspelt_variables": misspelt_variables}
