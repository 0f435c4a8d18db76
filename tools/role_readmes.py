"""Write the README.md of all roles: `role_readmes.py [--check]`.

A README is made from the role's meta/argument_specs.yml. With --check the tool writes nothing. It ends with 1 if a
README differs from the specs, or a role's defaults do.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import yaml

# Code, options and values in the markup of Ansible's documentation.
MARKUP = re.compile(r"\b[COV]\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
ROLES = Path(__file__).resolve().parents[1] / "roles"


def load(path: Path) -> dict:
    """Return the mapping in a YAML file, or {} without a file."""
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def paragraphs(text: str | list[str] | None) -> list[str]:
    """Return a description (a string or a list) as a list of one-line strings in Markdown."""
    texts = [text] if isinstance(text, str) else text or []
    return [MARKUP.sub(r"`\1`", " ".join(str(part).split())) for part in texts]


def rows(options: dict, prefix: str = "") -> list[str]:
    """Return a table row for each option and for the keys of dictionaries."""
    lines = []
    for name, option in options.items():
        kind = option.get("type", "str") + (f" of {option['elements']}" if "elements" in option else "")
        if option.get("required"):
            default = "required"
        else:
            default = f"`{option['default']}`" if option.get("default") not in (None, "") else ""
        choices = f" One of {', '.join(map(str, option['choices']))}." if "choices" in option else ""
        description = " ".join(paragraphs(option.get("description"))) + choices
        lines.append(f"| `{prefix}{name}` | {kind} | {default} | {description} |".replace("\n", " "))
        lines += rows(option.get("options") or {}, f"{prefix}{name}.")
    return lines


def readme(role: str, specs: dict, meta: dict) -> str:
    """Return the text of a role's README."""
    lines = [f"# {role}", "", *paragraphs(meta["galaxy_info"]["description"]), ""]
    lines += [f"Redeploy it alone: `ansible-playbook -i inventories/<site> site.yml --tags {role}`", ""]
    for entry, spec in specs.items():
        lines += [f"## {spec['short_description']}" + (f" (`tasks_from: {entry}`)" if entry != "main" else ""), ""]
        lines += [line for text in paragraphs(spec.get("description")) for line in (text, "")]
        if entry != "main" and spec.get("options") == specs["main"].get("options"):
            lines += ["Variables: those of the role.", ""]
        elif spec.get("options"):
            lines += ["| variable | type | default | description |", "|---|---|---|---|", *rows(spec["options"]), ""]
    lines += ["`make docs` generates this page from `meta/argument_specs.yml`.", ""]
    return "\n".join(lines)


def drift(role: Path, specs: dict) -> list[str]:
    """Return a sentence for each difference between a role's defaults and its specs."""
    options = {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}
    defaults = load(role / "defaults/main.yml")
    found = [
        f"{role.name}: {name} has a default but no spec: add it to meta/argument_specs.yml"
        for name in defaults.keys() - options.keys()
    ]
    for name, option in options.items():
        if "default" in option and name not in defaults:
            found.append(f"{role.name}: {name} has a default in its spec only: add it to defaults/main.yml")
        elif "default" in option and option["default"] != defaults[name]:
            found.append(f"{role.name}: {name} is {defaults[name]!r} in defaults, {option['default']!r} in its spec")
        if option.get("required") and name in defaults:
            found.append(f"{role.name}: {name} is required and has a default: remove one of the two")
    return sorted(found)


def main() -> int:
    """Write or check all READMEs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 if a file differs")
    check = parser.parse_args().check
    problems = []
    for role in sorted(path for path in ROLES.iterdir() if path.is_dir()):
        specs = load(role / "meta/argument_specs.yml").get("argument_specs", {})
        problems += drift(role, specs)
        text, path = readme(role.name, specs, load(role / "meta/main.yml")), role / "README.md"
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            problems.append(f"{role.name}: README.md differs from the specs: run make docs")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
