"""What a release is made of: digests of sources, the lock for one target, wheel tags, and which old releases may go.

Filters run on the controller, where the sources and the collected wheels are.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePosixPath

from ansible.errors import AnsibleFilterError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

# What tools leave in a source tree; none of it reaches a wheel.
LEFTOVERS = frozenset({".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__"})
LEFTOVERS_AT_ROOT = frozenset({"build", "dist"})
OLDEST_GLIBC_MINOR = 5  # manylinux1, the first wheels for Linux, asked for glibc 2.5
LEGACY_TAGS = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def tree_digest(directory: str) -> str:
    """Return the sha256 over the names and contents of the files below a directory, symbolic links followed.

    Raises AnsibleFilterError when the directory does not exist or holds no file.
    """
    root = Path(directory)
    digest = hashlib.sha256()
    empty = True
    # os.walk, not Path.rglob: a directory in LEFTOVERS is not even entered.
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
                raise AnsibleFilterError(f"{path} is a symbolic link to a file that does not exist") from error
            digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
            empty = False
    if empty:
        raise AnsibleFilterError(f"there is no source tree at {directory}")
    return digest.hexdigest()


def lock_for_target(lock: str, python_version: str, machine: str) -> str:
    """Return the lines of a lock with hashes that hold for CPython of that version on Linux, without their markers.

    pip's own --python-version does not reach the markers: it judges them for the Python that runs pip.
    Raises AnsibleFilterError when a line is not of the form "name==version ; marker" with a hash.
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
            raise AnsibleFilterError(f"the lock has a line pip would not take: {specification}: {error}") from error
        if not hashes or not str(requirement.specifier).startswith("=="):
            raise AnsibleFilterError(f"the lock does not pin {specification} with a hash. Run: make lock")
        if requirement.marker is None or requirement.marker.evaluate(environment):
            pinned = f"{requirement.name}{requirement.specifier}"
            lines.append(" ".join([pinned, *(f"--hash={value}" for value in hashes)]))
    return "".join(f"{line}\n" for line in lines)


def wheel_platforms(machine: str, glibc: str) -> list[str]:
    """Return the platform tags whose wheels run with that glibc on that machine, the newest first.

    Raises AnsibleFilterError when the glibc version is not "2.N".
    """
    found = re.fullmatch(r"2\.(\d+)(\..*)?", glibc)
    if not found:
        raise AnsibleFilterError(f"wheels for Linux are made for glibc 2.x; this host says {glibc or 'nothing'}")
    tags = []
    for minor in range(int(found.group(1)), OLDEST_GLIBC_MINOR - 1, -1):
        tags.append(f"manylinux_2_{minor}_{machine}")
        if minor in LEGACY_TAGS:
            tags.append(f"{LEGACY_TAGS[minor]}_{machine}")
    return [*tags, f"linux_{machine}"]


def wheel_set(paths: list[str], project: str) -> dict[str, str]:
    """Return version and release id (version, dash, 12 hex digits over all wheels) of a project in its set of wheels.

    Raises AnsibleFilterError when the project has no wheel, or more than one, among the paths.
    """
    versions = [
        str(version)
        for name, version, _build, _tags in (parse_wheel_filename(Path(path).name) for path in paths)
        if name == canonicalize_name(project)
    ]
    if len(versions) != 1:
        raise AnsibleFilterError(f"a release needs exactly one wheel of {project}, there are {len(versions)}")
    lines = sorted(f"{Path(path).name} {hashlib.sha256(Path(path).read_bytes()).hexdigest()}\n" for path in paths)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return {"version": versions[0], "release": f"{versions[0]}-{digest[:12]}"}


def releases_to_remove(found: list[dict], current: str, keep: int) -> list[str]:
    """Return the paths of the releases that may go, out of ansible.builtin.find's files.

    The one that `current` points at stays, and beside it the newest until `keep` releases are left.
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
