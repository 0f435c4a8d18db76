#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/batch/jobs.py."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: batch_job
short_description: Submit, follow or cancel one batch job
version_added: "0.1.0"
description:
  - Submits a batch script to Torque, PBS Pro or Slurm, waits for its end, or cancels it.
  - The module identifies a job by its O(name) and by the user that runs the module. A job that waits or runs is not
    submitted again. Concurrent runs with the same name wait for one another, by a lock file in C(~/.cache/raycrafter).
  - Arrays of jobs are refused.
  - A job succeeds only if the file C(exit), which scripts of C(batch_script) write to their O(directory), has 0. An
    absent job or an exit status of 0 is no success. Without that file the module reports the cause of the failure from
    the scheduler's full status or accounting.
options:
  name:
    description: Job name; a letter, then at most 14 letters, digits and C(_.-). It overrides the script's own.
    type: str
    required: true
  state:
    description: V(present) submits the job unless it waits or runs, V(absent) cancels it.
    type: str
    choices: [present, absent]
    default: present
  script:
    description: Batch script on the host. Required when O(state=present).
    type: path
  directory:
    description:
      - Directory of the job. The default is the directory of O(script).
      - The script is submitted from this directory, and writes its C(exit) file there.
    type: path
  scheduler:
    description:
      - Batch system on the host.
      - V(torque), V(pbspro) and V(slurm_torque), which is Slurm behind Torque's commands, have C(qsub), C(qstat) and
        C(qdel). V(slurm) has C(sbatch), C(squeue) and C(scancel).
    type: str
    required: true
    choices: [torque, pbspro, slurm_torque, slurm]
  wait:
    description: Wait until the job has ended or, with O(state=absent), is gone.
    type: bool
    default: true
  timeout:
    description:
      - Longest time to wait for the job, in seconds. The job continues after that, and a second run waits for it again.
      - Also the longest time to wait for another run that submits or cancels a job of the same name.
    type: int
    default: 3600
  command_timeout:
    description:
      - Longest run time of one command of the scheduler, in seconds. After that the command is killed.
      - After a killed submission the module looks the job up by its name.
    type: int
    default: 60
  poll:
    description: Seconds between two status requests while waiting.
    type: int
    default: 10
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
author: RayCrafter (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Run the self-test on a compute node
  batch_job:
    name: rc-selftest
    script: /lustre/sw/raycrafter/selftest.job
    directory: /lustre/sw/raycrafter/selftest
    scheduler: torque
    timeout: 900

- name: Submit the self-test, and try again while the scheduler is busy
  batch_job:
    name: rc-selftest
    script: /lustre/sw/raycrafter/selftest.job
    scheduler: slurm
    wait: false
  register: selftest
  until: selftest.verdict | default('') not in ['busy', 'limit']
  retries: 5
  delay: 60

- name: Cancel the self-test
  batch_job:
    name: rc-selftest
    state: absent
    scheduler: torque
"""

RETURN = r"""
job_id:
  description: The scheduler's id of the job, of the first one if several have the name.
  returned: when a job exists or existed
  type: str
  sample: 12345.sdb
job_ids:
  description: Ids of all jobs of this name that waited or ran before.
  returned: success
  type: list
  elements: str
  sample: ["12345.sdb"]
exit_status:
  description: Exit code of the job. The task fails unless it is 0.
  returned: when the module waited for the job's end
  type: int
  sample: 0
evidence:
  description: Source of the exit code, V(exit_file) or V(status).
  returned: when the module waited for the job's end
  type: str
  sample: exit_file
walltime_used:
  description: Run time of the job in seconds.
  returned: when the module waited for the job's end and the scheduler still has the job
  type: int
  sample: 61
hosts:
  description: Hosts of the job.
  returned: when the module waited for the job's end and the scheduler still has the job
  type: list
  elements: str
  sample: [nid00012]
verdict:
  description:
    - Meaning of a failure. Try again after V(busy) and V(limit), not after V(fatal). V(gone) is a job without a trace.
    - With V(doubt) the job may have been submitted; a second run finds it by its name.
  returned: when a command of the scheduler failed
  type: str
  sample: limit
code:
  description: Exit code of the scheduler's command.
  returned: when the command refused
  type: int
  sample: 38
text:
  description: Message of the scheduler.
  returned: when the command refused
  type: str
  sample: "qsub: would exceed complex's per-user limit"
"""

import os
import pwd
from collections.abc import Sequence
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.batch.jobs import Ended, JobError, Jobs, array_line
from ..module_utils.batch.lock import LockError, locked
from ..module_utils.batch.process import run as run_program
from ..module_utils.batch.registry import SCHEDULERS
from ..module_utils.batch.reply import Reply
from ..module_utils.batch.spec import NAME

NO_ARRAYS = "this module follows one job to its end: submit an array with the scheduler's own command"


def jobs_of(module: AnsibleModule) -> Jobs:
    """Return the jobs of the user that runs the module."""

    def run(words: Sequence[str], directory: str | None) -> Reply:
        # English, because texts of answers are parsed. Not run_command, which has no timeout.
        limit = module.params["command_timeout"]
        return run_program(words, timeout=limit, directory=directory, env={"LC_ALL": "C"})

    return Jobs(SCHEDULERS[module.params["scheduler"]], pwd.getpwuid(os.geteuid()).pw_name, run)


def directory(module: AnsibleModule) -> Path:
    """Return the directory of the job."""
    return Path(module.params["directory"] or Path(module.params["script"]).parent).absolute()


def ended(module: AnsibleModule, end: Ended, answer: dict) -> None:
    """Report the end of the job; any exit code but 0 is a failure."""
    answer.update(exit_status=end.exit_status, evidence=end.evidence)
    if end.job:
        answer.update(walltime_used=end.job.walltime_used, hosts=list(end.job.hosts))
    if end.exit_status != 0:
        module.fail_json(
            msg=f"job {module.params['name']!r}, {answer['job_id']}, ended with {end.exit_status} (from its "
            f"{end.evidence.replace('_', ' ')}); read its output in {directory(module)}",
            **answer,
        )


def refuse_array(module: AnsibleModule, script: Path, answer: dict) -> None:
    """Refuse an array, whose jobs have no common end.

    In check mode the script may be missing."""
    if script.is_file():
        text = script.read_text(encoding="utf-8", errors="replace")
        line = array_line(text, SCHEDULERS[module.params["scheduler"]].dialects)
        if line is not None:
            module.fail_json(msg=f"{script}, line {line}, requests an array; {NO_ARRAYS}", **answer)


def present(module: AnsibleModule, jobs: Jobs, answer: dict) -> None:
    """Submit the job unless it waits or runs."""
    name, script = module.params["name"], Path(module.params["script"]).absolute()
    if not module.check_mode:
        if not script.is_file():
            module.fail_json(msg=f"{script} is no file on this host; write it first (batch_script)", **answer)
        if not directory(module).is_dir():
            module.fail_json(msg=f"{directory(module)} is no directory on this host; create it first", **answer)
    refuse_array(module, script, answer)
    live = jobs.live(name)
    answer["job_ids"] = [job.native_id for job in live]
    if any("[" in native_id for native_id in answer["job_ids"]):
        module.fail_json(msg=f"job {name!r}, {answer['job_ids'][0]}, is an array; {NO_ARRAYS}", **answer)
    answer["changed"] = not live
    if module.check_mode:
        answer["msg"] = f"job {name!r} is there" if live else f"would submit {script} as {name!r}"
    if live:
        answer["job_id"] = live[0].native_id
    elif not module.check_mode:
        answer["job_id"] = jobs.submit(script, name, directory(module))


def absent(module: AnsibleModule, jobs: Jobs, answer: dict) -> None:
    """Cancel the jobs of this name."""
    live = jobs.live(module.params["name"])
    answer["job_ids"] = [job.native_id for job in live]
    if not live:
        return
    answer["changed"], answer["job_id"] = True, live[0].native_id
    if module.check_mode:
        answer["msg"] = f"would cancel {', '.join(answer['job_ids'])}"
        return
    for job in live:
        jobs.cancel(job)


def follow(module: AnsibleModule, jobs: Jobs, answer: dict) -> None:
    """Wait for the end of the job, or for its absence."""
    name, timeout, poll = (module.params[option] for option in ("name", "timeout", "poll"))
    if module.params["state"] == "present":
        ended(module, jobs.wait(answer["job_id"], name, directory(module), timeout, poll), answer)
    elif answer["changed"]:
        jobs.wait_gone(name, timeout, poll)


def run(module: AnsibleModule, answer: dict) -> None:
    """Look and act under the lock, so that one of two runs submits; wait without it."""
    jobs = jobs_of(module)
    act = present if module.params["state"] == "present" else absent
    if module.check_mode:
        act(module, jobs, answer)
        return
    lock = Path.home() / ".cache" / "raycrafter" / f"batch_job-{module.params['name']}.lock"
    with locked(lock, module.params["timeout"]):
        act(module, jobs, answer)
    if module.params["wait"]:
        follow(module, jobs, answer)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "script": {"type": "path"},
            "directory": {"type": "path"},
            "scheduler": {"type": "str", "required": True, "choices": list(SCHEDULERS)},
            "wait": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 3600},
            "poll": {"type": "int", "default": 10},
            "command_timeout": {"type": "int", "default": 60},
        },
        required_if=[("state", "present", ["script"])],
        supports_check_mode=True,
    )
    params = module.params
    if not NAME.fullmatch(params["name"]):
        module.fail_json(msg=f"name: a letter, then at most 14 letters, digits and _.-, got {params['name']!r}")
    for option, least in (("poll", 1), ("timeout", 0), ("command_timeout", 1)):
        if params[option] < least:
            module.fail_json(msg=f"{option}: at least {least} seconds, got {params[option]}")
    answer = {"changed": False}
    try:
        run(module, answer)
    except LockError as error:
        module.fail_json(msg=str(error), verdict="busy" if error.held else "fatal", **answer)
    except JobError as error:
        module.fail_json(msg=str(error), verdict=error.verdict.name.lower(), code=error.code, text=error.text, **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
