"""Copy a shipped inventory and edit the copy for a lab, as README tells an operator to.

Usage: python3 -m lab.copy_inventory example|single_host

LAB_NAME, LAB_PREFIX and LAB_STATE are those of the lab, as for lab/up. Writes $LAB_STATE/inventories/$LAB_NAME, keeps
its vault, and prints the directory.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


class EditError(Exception):
    """An edit that does not fit the shipped inventory."""


def edited_hosts(text: str, names: dict, addresses: dict, users: dict) -> str:
    """Return the text of hosts.yml with other names, addresses and users."""
    for old, new in {**names, **addresses, **users}.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])(?!\.\w)", new, text)
    return text


def edited_variables(text: str, variables: dict) -> str:
    """Return the text of main.yml in which each of the variables has another value, or is gone if the value is None."""
    blocks = re.split(r"^(?=\w+:)", text, flags=re.MULTILINE)
    for name, value in variables.items():
        found = [number for number, block in enumerate(blocks) if block.startswith(f"{name}:")]
        if not found:
            raise EditError(f"{name} is not in the shipped inventory: lab/site.yml may only change what README lists")
        blocks[found[0]] = "" if value is None else yaml.safe_dump({name: value}, sort_keys=False, width=1000)
    return "".join(blocks)


def copied(example: str, target: Path, prefix: str, state: Path) -> Path:
    """Write the edited copy of inventories/<example> to `target` and return it.

    prefix: first three numbers of the lab's addresses. state: directory of the lab's state.
    """
    source = ROOT / "inventories" / example
    edits, substitutions = (
        (ROOT / "lab" / name).read_text().replace("@PREFIX@", prefix).replace("@STATE@", str(state))
        for name in ("site.yml", "substitutions.yml")
    )
    site = yaml.safe_load(edits)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, dirs_exist_ok=True)
    hosts, main = target / "hosts.yml", target / "group_vars/all/main.yml"
    hosts.write_text(edited_hosts(hosts.read_text(), site["names"][example], site["addresses"], site["users"]))
    variables = site["variables"] | site.get(f"variables_of_{example}", {})
    main.write_text(edited_variables(main.read_text(), variables))
    # Ansible reads the files of a directory in the order of their names: this one after main.yml.
    (target / "group_vars/all/substitutions.yml").write_text(substitutions)
    return target


def directory() -> Path:
    """Return the directory of the lab's inventory."""
    state = Path(os.environ.get("LAB_STATE") or ROOT / ".lab")
    return state / "inventories" / os.environ.get("LAB_NAME", "demo")


if __name__ == "__main__":
    where = directory()
    print(copied(sys.argv[1], where, os.environ.get("LAB_PREFIX") or "10.77.10", where.parents[1]))
