"""Filters for releases: digests of sources, locks, wheels, old releases.

Filters run on the controller, which has the sources and the collected wheels.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePosixPath

from ansible.errors import AnsibleFilterError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

# Files of tools in a source tree, which no wheel contains.
LEFTOVERS = frozenset({".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__"})
LEFTOVERS_AT_ROOT = frozenset({"build", "dist"})
OLDEST_GLIBC_MINOR = 5  # manylinux1, the first tag for Linux, requires glibc 2.5
LEGACY_TAGS = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def tree_digest(directory: str) -> str:
    """Return the SHA-256 over names and contents of the files below a directory.

    Symbolic links are followed. Raises AnsibleFilterError if the directory does not exist or has no file.
    """
    root = Path(directory)
    digest = hashlib.sha256()
    empty = True
    # os.walk, because Path.rglob would also read the directories in LEFTOVERS.
    for parent, directories, files in os.walk(root, followlinks=True):
        leftovers = LEFTOVERS | LEFTOVERS_AT_ROOT if Path(parent) == root else LEFTOVERS
        directories[:] = sorted(d for d in directories if d not in leftovers and not d.endswith(".egg-info"))
        for name in sorted(files):
            if name.endswith(".pyc"):
                continue
            path = Path(parent, name)
            try:
                content = path.read_bytes()
            except FileNotFoundError as error:
                raise AnsibleFilterError(
                    f"{path} is a symbolic link to a missing file: remove or fix the link"
                ) from error
            digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
            empty = False
    if empty:
        raise AnsibleFilterError(f"no source tree in {directory}: check the path")
    return digest.hexdigest()


def lock_for_target(lock: str, python_version: str, machine: str) -> str:
    """Return the lines of a lock file for CPython on Linux, without their markers.

    python_version: the full version, such as 3.11.2. machine: such as x86_64.
    pip's option --python-version does not help: pip evaluates markers for the Python that runs pip.
    Raises AnsibleFilterError if a line has not the form "name==version ; marker" with a hash.
    """
    environment = {
        "implementation_name": "cpython",
        "implementation_version": python_version,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python_version,
        "python_version": ".".join(python_version.split(".")[:2]),
        "sys_platform": "linux",
        "extra": "",
    }
    lines = []
    text = re.sub(r"(?m)^\s*#.*$", "", lock).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        specification, *hashes = (part.strip() for part in line.split("--hash="))
        try:
            requirement = Requirement(specification)
        except InvalidRequirement as error:
            raise AnsibleFilterError(
                f"the lock has an invalid line: {specification}: {error}. Write it again: make lock"
            ) from error
        if not hashes or not str(requirement.specifier).startswith("=="):
            raise AnsibleFilterError(f"the lock does not pin {specification} with a hash. Write it again: make lock")
        if requirement.marker is None or requirement.marker.evaluate(environment):
            pinned = f"{requirement.name}{requirement.specifier}"
            lines.append(" ".join([pinned, *(f"--hash={value}" for value in hashes)]))
    return "".join(f"{line}\n" for line in lines)


def wheel_platforms(machine: str, glibc: str) -> list[str]:
    """Return the platform tags of wheels that run on a host, newest first.

    machine: such as x86_64. glibc: the host's version, such as 2.36. Raises AnsibleFilterError for other versions.
    """
    found = re.fullmatch(r"2\.(\d+)(\..*)?", glibc)
    if not found:
        raise AnsibleFilterError(
            f"wheels for Linux need glibc 2.x, but the host has {glibc or 'none'}: use another host"
        )
    tags = []
    for minor in range(int(found.group(1)), OLDEST_GLIBC_MINOR - 1, -1):
        tags.append(f"manylinux_2_{minor}_{machine}")
        if minor in LEGACY_TAGS:
            tags.append(f"{LEGACY_TAGS[minor]}_{machine}")
    return [*tags, f"linux_{machine}"]


def wheel_set(paths: list[str], project: str) -> dict[str, str]:
    """Return the version and the release id of a project's set of wheels.

    The release id is the version, a dash and 12 hexadecimal digits over all wheels. Raises AnsibleFilterError unless
    the project has exactly one wheel among ``paths``.
    """
    versions = [
        str(version)
        for name, version, _build, _tags in (parse_wheel_filename(Path(path).name) for path in paths)
        if name == canonicalize_name(project)
    ]
    if len(versions) != 1:
        raise AnsibleFilterError(
            f"a release needs exactly one wheel of {project}, found {len(versions)}: check its source and lock"
        )
    lines = sorted(f"{Path(path).name} {hashlib.sha256(Path(path).read_bytes()).hexdigest()}\n" for path in paths)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return {"version": versions[0], "release": f"{versions[0]}-{digest[:12]}"}


def releases_to_remove(found: list[dict], current: str, keep: int) -> list[str]:
    """Return the paths of old releases to remove.

    found: files of ansible.builtin.find. current: path of the release in use, which always stays.
    keep: number of releases to keep, including the current one.
    """
    newest_first = sorted(found, key=lambda entry: entry["mtime"], reverse=True)
    others = [entry["path"] for entry in newest_first if PurePosixPath(entry["path"]) != PurePosixPath(current)]
    return others[max(keep - 1, 0) :]


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {
            "lock_for_target": lock_for_target,
            "releases_to_remove": releases_to_remove,
            "tree_digest": tree_digest,
            "wheel_platforms": wheel_platforms,
            "wheel_set": wheel_set,
        }
