#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/batch/script.py."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: batch_script
short_description: Write a checked batch script for Torque, PBS Pro or Slurm
version_added: "0.1.0"
description:
  - Renders a batch script from typed fields and writes it to a file.
  - Every field has a whitelist, the launcher's geometry is checked against the node's, and control characters are
    refused, so no value can add a directive or a command to the script.
  - The script leaves a file C(exit) with the scheduler's job id and the command's exit code in O(directory), in an
    array C(exit.) and the index.
options:
  dest:
    description: File to write. Its directory must exist.
    type: path
    required: true
  name:
    description: Job name; a letter, then at most 14 letters, digits and C(_.-).
    type: str
    required: true
  queue:
    description: Queue or partition.
    type: str
    required: true
  account:
    description: Account that is charged. An empty one is omitted from the script.
    type: str
  project:
    description: Project of PBS Pro. Other dialects refuse it. An empty one is omitted from the script.
    type: str
  nodes:
    description: Number of nodes.
    type: int
    default: 1
  cores_per_node:
    description: Cores to reserve on each node.
    type: int
    required: true
  walltime:
    description: Longest run time as C(HH:MM:SS) (hours may exceed 24), C(1d12h30m) or seconds.
    type: str
    required: true
  dialect:
    description: >-
      Directives of the site's scheduler, an entry of C(DIALECTS) in module_utils/batch/registry.py, such as
      V(torque), V(torque_cray), V(pbspro) or V(slurm).
    type: str
    required: true
  launcher:
    description: >-
      Program that starts the command on the compute nodes, an entry of C(LAUNCHERS) in
      module_utils/batch/launchers.py, such as V(aprun), V(srun), V(mpiexec) or V(none).
    type: str
    required: true
  launch:
    description:
      - Geometry of the command, in aprun's letters. Capital and small letters differ.
      - C(n) is the number of processing elements in all, C(N) on each node, C(S) on each NUMA node.
      - C(d) is the number of CPUs for each processing element, C(j) of those used on each core, 2 with hyperthreads.
      - C(cc) is the CPU binding, one of V(cpu), V(none), V(depth), V(numa_node) or a CPU list.
      - With C(b) the command is on a file system that the nodes share and is not shipped to them. C(e) has variables
        for the command alone.
      - Defaults are 1 for C(n), C(N), C(d) and C(j), V(none) for C(cc), V(true) for C(b), nothing for C(e) and the
        launcher's choice for C(S). C(S), C(b) and C(e) are aprun's alone; other launchers refuse them.
    type: dict
    default: {}
  node:
    description: Hardware of one compute node.
    type: dict
    required: true
    suboptions:
      cores:
        description: Physical cores.
        type: int
        required: true
      numa_nodes:
        description: NUMA nodes.
        type: int
        default: 1
      hyperthreads:
        description: Hardware threads on each core.
        type: int
        default: 1
  directory:
    description: Absolute path of the job's directory and output. It must exist when the job starts.
    type: str
    required: true
  modules:
    description: Environment modules to load.
    type: list
    elements: str
    default: []
  environment:
    description: Variables to set for the command.
    type: dict
    default: {}
  export:
    description: Names of variables of the submitting shell that the job gets.
    type: list
    elements: str
    default: []
  command:
    description: Program and its arguments, one word each.
    type: list
    elements: str
    required: true
  mail_to:
    description: Addresses that get mail about the job. Requires O(mail_on).
    type: list
    elements: str
    default: []
  mail_on:
    description: Events that send mail. Requires O(mail_to).
    type: list
    elements: str
    choices: [begin, end, abort]
    default: []
  after:
    description: >-
      Ids of jobs that this job waits for, as lists by condition (C(after), C(afterok), C(afternotok), C(afterany)).
    type: dict
    default: {}
  array:
    description: Indices C(first-last) of an array of jobs, with C(%most) as the limit of concurrent jobs.
    type: str
  workspace:
    description: Name of a workspace for C(ws_find). The job gets its path in C(WORKSPACE).
    type: str
  prologue:
    description: File of the site that the job's shell reads before the command. If it fails, the job ends with 93.
    type: str
  epilogue:
    description: Program of the site that runs after the command, with its exit code as an argument.
    type: str
  template:
    description:
      - Text of the site's own script around this one. It has a line C(@directives@) and, last, a line C(@script@).
      - Between the two it may add directives that the other options do not set, and then commands.
      - The host's C(bash), if it has one, checks the syntax of the commands. A command that ends the shell ends the job
        with 94.
    type: str
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.files
  - ansible.builtin.validate
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
author: RayCrafter (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Write the self-test of the compute nodes
  batch_script:
    dest: /lustre/sw/raycrafter/selftest.job
    name: rc-selftest
    queue: workq
    cores_per_node: 24
    walltime: "00:05:00"
    dialect: torque
    launcher: aprun
    launch: {n: 1, N: 1, d: 24, cc: none}
    node: {cores: 24, numa_nodes: 2, hyperthreads: 2}
    directory: /lustre/sw/raycrafter
    command: [/lustre/sw/raycrafter/current/bin/python, -m, raycrafter_client, selftest]
    mode: "0600"

- name: Write a script with a line of the site, and mail after a failure
  batch_script:
    dest: /lustre/ws/render/job.sh
    name: render
    queue: workq
    cores_per_node: 24
    walltime: 2h30m
    dialect: pbspro
    launcher: none
    node: {cores: 24}
    directory: /lustre/ws/render
    command: [/lustre/ws/render/program]
    mail_to: [operator@example.org]
    mail_on: [abort]
    template: |
      #!/bin/bash
      @directives@
      #PBS -l filesystems=lustre
      ulimit -c 0
      @script@
"""

RETURN = r"""
dest:
  description: Path of the script.
  returned: success
  type: str
  sample: /lustre/sw/raycrafter/selftest.job
directives:
  description: The scheduler's directives in the script.
  returned: success
  type: list
  elements: str
  sample: ["#PBS -N rc-selftest", "#PBS -q workq"]
walltime_seconds:
  description: The walltime in seconds.
  returned: success
  type: int
  sample: 300
"""

import os
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils.batch.checks import MAIL_ON
from ..module_utils.batch.script import directives, render
from ..module_utils.batch.spec import BatchScriptError, BatchSpec, Launch, Node, parse_walltime
from ..module_utils.batch.template import PLAIN, commands

# Not suboptions of launch: for Ansible's documentation n and N would be the same option.
LAUNCH_OPTIONS = {
    "n": {"type": "int", "default": 1},
    "N": {"type": "int", "default": 1},
    "d": {"type": "int", "default": 1},
    "j": {"type": "int", "default": 1},
    "S": {"type": "int"},
    "cc": {"type": "str", "default": "none"},
    "b": {"type": "bool", "default": True},
    "e": {"type": "dict", "default": {}},
}
NODE_OPTIONS = {
    "cores": {"type": "int", "required": True},
    "numa_nodes": {"type": "int", "default": 1},
    "hyperthreads": {"type": "int", "default": 1},
}
SPEC_OPTIONS = {
    "name": {"type": "str", "required": True},
    "queue": {"type": "str", "required": True},
    "account": {"type": "str"},
    "project": {"type": "str"},
    "nodes": {"type": "int", "default": 1},
    "cores_per_node": {"type": "int", "required": True},
    "walltime": {"type": "str", "required": True},
    "dialect": {"type": "str", "required": True},
    "launcher": {"type": "str", "required": True},
    "launch": {"type": "dict", "default": {}},
    "node": {"type": "dict", "required": True, "options": NODE_OPTIONS},
    "directory": {"type": "str", "required": True},
    "modules": {"type": "list", "elements": "str", "default": []},
    "environment": {"type": "dict", "default": {}},
    "export": {"type": "list", "elements": "str", "default": []},
    "command": {"type": "list", "elements": "str", "required": True},
    "mail_to": {"type": "list", "elements": "str", "default": []},
    "mail_on": {"type": "list", "elements": "str", "choices": list(MAIL_ON), "default": []},
    "after": {"type": "dict", "default": {}},
    "array": {"type": "str"},
    "workspace": {"type": "str"},
    "prologue": {"type": "str"},
    "epilogue": {"type": "str"},
}
# Omitted when empty, so that a role can pass a variable that a site may not have set.
OPTIONAL = ("account", "project", "array", "workspace", "prologue", "epilogue")


def text(value: object) -> object:
    """Return a number as text; any other value unchanged, for the checks."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def texts(values: object) -> object:
    """Return the values of a mapping or a list as text; any other value unchanged."""
    if isinstance(values, dict):
        return {name: text(value) for name, value in values.items()}
    return [text(value) for value in values] if isinstance(values, list) else values


def launch(module: AnsibleModule) -> Launch:
    """Return the launcher's geometry, its letters checked as Ansible checks options."""
    result = ArgumentSpecValidator(LAUNCH_OPTIONS).validate(module.params["launch"])
    if result.error_messages:
        module.fail_json(msg=f"launch does not fit: {'; '.join(result.error_messages)}")
    fields = result.validated_parameters
    return Launch(**{**fields, "e": texts(fields["e"])})


def description(module: AnsibleModule) -> BatchSpec:
    """Return the typed description in the module's parameters."""
    params = module.params
    fields = {name: params[name] for name in SPEC_OPTIONS}
    fields["launch"] = launch(module)
    fields["node"] = Node(**params["node"])
    fields.update({name: params[name] or None for name in OPTIONAL})
    fields["environment"] = texts(params["environment"])
    fields["after"] = {name: texts(ids) for name, ids in params["after"].items()}
    return BatchSpec(**fields)


def check_syntax(module: AnsibleModule, template: str) -> None:
    """Refuse commands of a site that bash cannot read or that swallow the next lines."""
    bash = module.get_bin_path("bash")
    if bash is None:
        return
    code, _, said = module.run_command([bash, "-n"], data=commands(template), environ_update={"LC_ALL": "C"})
    if code != 0 or said.strip():  # a document that is not closed is a warning only
        raise BatchScriptError("template", f"bash cannot read its commands: {said.strip()}")


def write(module: AnsibleModule, dest: Path, script: str) -> None:
    """Install the script by rename, after ``validate``, so that no job reads half of it."""
    handle, temporary = tempfile.mkstemp(dir=module.tmpdir, prefix="batch_script.")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(script)
    if module.params["validate"]:
        command = module.params["validate"] % temporary
        code, out, said = module.run_command(command)
        if code != 0:
            module.fail_json(msg=f"validate: {command} ended with {code} and said: {(said or out).strip()}")
    module.atomic_move(temporary, str(dest), unsafe_writes=module.params["unsafe_writes"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "template": {"type": "str"},
            "validate": {"type": "str"},
            **SPEC_OPTIONS,
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    dest = Path(module.params["dest"])
    if "%s" not in (module.params["validate"] or "%s"):
        module.fail_json(msg=f"validate: must have %s, the script's place, got {module.params['validate']!r}")
    spec = description(module)
    try:
        template = module.params["template"] or PLAIN
        script = render(spec, template)
        check_syntax(module, template)
    except BatchScriptError as error:
        module.fail_json(msg=f"batch script {spec.name!r}: {error}", field=error.field, reason=error.reason)
    if dest.is_dir():
        module.fail_json(msg=f"{dest} is a directory; dest must name the script's file")
    if not dest.parent.is_dir() and not module.check_mode:
        module.fail_json(msg=f"the directory {dest.parent} does not exist; create it first (ansible.builtin.file)")

    before = dest.read_text(encoding="utf-8", errors="replace") if dest.exists() else ""
    changed = before != script
    if changed and not module.check_mode:
        write(module, dest, script)
    if dest.exists():
        changed = module.set_fs_attributes_if_different(module.load_file_common_arguments(module.params), changed)
    module.exit_json(
        changed=changed,
        dest=str(dest),
        directives=directives(spec),
        walltime_seconds=parse_walltime(spec.walltime),
        diff={"before": before, "after": script, "before_header": str(dest), "after_header": str(dest)},
    )


if __name__ == "__main__":
    main()
