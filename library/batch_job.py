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
  - A job is known by its O(name). One of this name and of the user that runs the module, waiting or running, is not
    submitted again. Runs at the same time with the same name wait for one another, by a lock file in
    C(~/.cache/raycrafter).
  - Arrays of jobs are refused.
  - That a job is not listed any more is not taken for success, nor is an exit status of 0. Success is the file C(exit)
    that scripts of C(batch_script) leave in their O(directory). Without that file the batch system's full status or
    accounting tells how the job failed.
options:
  name:
    description: Job name; a letter, then at most 14 letters, digits and C(_.-). It overrides the script's own.
    type: str
    required: true
  state:
    description: V(present) submits the job unless it is there, V(absent) cancels it.
    type: str
    choices: [present, absent]
    default: present
  script:
    description: Batch script on the host. Required when O(state=present).
    type: path
  directory:
    description:
      - Where the job runs, the script's own directory unless set. The script is submitted from there, and its C(exit)
        file is looked for there.
    type: path
  scheduler:
    description:
      - Batch system that answers.
      - V(torque), V(pbspro) and V(slurm_torque), which is Slurm behind Torque's commands, have C(qsub), C(qstat) and
        C(qdel). V(slurm) has C(sbatch), C(squeue) and C(scancel).
    type: str
    required: true
    choices: [torque, pbspro, slurm_torque, slurm]
  wait:
    description: Wait until the job has ended, or, when O(state=absent), until it is gone.
    type: bool
    default: true
  timeout:
    description:
      - Longest time to wait for the job, in seconds. It goes on after that, and a second run waits on.
      - A run with the same name that is submitting or cancelling is waited for as long, too.
    type: int
    default: 3600
  command_timeout:
    description:
      - Longest time that one command of the batch system may take, in seconds. Then it is killed.
      - A submission that was killed is in doubt, and looked up by its name.
    type: int
    default: 60
  poll:
    description: Time between two looks at the batch system while waiting, in seconds.
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
- name: A compute node tests itself
  batch_job:
    name: rc-selftest
    script: /lustre/sw/raycrafter/selftest.job
    directory: /lustre/sw/raycrafter/selftest
    scheduler: torque
    timeout: 900

- name: The batch system has room again before the next try
  batch_job:
    name: rc-selftest
    script: /lustre/sw/raycrafter/selftest.job
    scheduler: slurm
    wait: false
  register: selftest
  until: selftest.verdict | default('') not in ['busy', 'limit']
  retries: 5
  delay: 60

- name: No self-test waits or runs
  batch_job:
    name: rc-selftest
    state: absent
    scheduler: torque
"""

RETURN = r"""
job_id:
  description: The batch system's id; of the first job, when several have the name.
  returned: when there is or was a job
  type: str
  sample: 12345.sdb
job_ids:
  description: All jobs of this name that waited or ran before.
  returned: success
  type: list
  elements: str
  sample: ["12345.sdb"]
exit_status:
  description: Exit code of the job, which fails the task when it is not 0.
  returned: when the job's end was waited for
  type: int
  sample: 0
evidence:
  description: Where the exit code is from, V(exit_file) or V(status).
  returned: when the job's end was waited for
  type: str
  sample: exit_file
walltime_used:
  description: Seconds that the job ran.
  returned: when the job's end was waited for and the batch system still knows it
  type: int
  sample: 61
hosts:
  description: Hosts that the job ran on.
  returned: when the job's end was waited for and the batch system still knows it
  type: list
  elements: str
  sample: [nid00012]
verdict:
  description:
    - What a failure means. V(busy) and V(limit) can be tried again, V(fatal) cannot, V(gone) is a job without a trace.
    - With V(doubt) the job may have been submitted; a second run finds it by its name.
  returned: when a command of the batch system failed
  type: str
  sample: limit
code:
  description: Exit code of the batch system's command.
  returned: when it refused
  type: int
  sample: 38
text:
  description: The batch system's own words.
  returned: when it refused
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

NO_ARRAYS = "this module follows one job to its end: submit an array with the batch system's own command"


def jobs_of(module: AnsibleModule) -> Jobs:
    """The jobs of the user that runs the module."""

    def run(words: Sequence[str], directory: str | None) -> Reply:
        # The answers' texts are read, hence in English. Not run_command, which has no limit of time.
        limit = module.params["command_timeout"]
        return run_program(words, timeout=limit, directory=directory, env={"LC_ALL": "C"})

    return Jobs(SCHEDULERS[module.params["scheduler"]], pwd.getpwuid(os.geteuid()).pw_name, run)


def directory(module: AnsibleModule) -> Path:
    """Where the job runs."""
    return Path(module.params["directory"] or Path(module.params["script"]).parent).absolute()


def ended(module: AnsibleModule, end: Ended, answer: dict) -> None:
    """Tells how the job ended; another exit code than 0 is a failure."""
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
    """Many jobs under one name have no one end that could be told. The script may not be there yet in check mode."""
    if script.is_file():
        text = script.read_text(encoding="utf-8", errors="replace")
        line = array_line(text, SCHEDULERS[module.params["scheduler"]].dialects)
        if line is not None:
            module.fail_json(msg=f"{script}, line {line}, asks for an array; {NO_ARRAYS}", **answer)


def present(module: AnsibleModule, jobs: Jobs, answer: dict) -> None:
    """Submits the job unless it is there."""
    name, script = module.params["name"], Path(module.params["script"]).absolute()
    if not module.check_mode:
        if not script.is_file():
            module.fail_json(msg=f"{script} is no file on this host; write it first (batch_script)", **answer)
        if not directory(module).is_dir():
            module.fail_json(msg=f"{directory(module)} is no directory on this host; make it first", **answer)
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
    """Cancels the jobs of this name."""
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
    """Waits for what was asked for."""
    name, timeout, poll = (module.params[option] for option in ("name", "timeout", "poll"))
    if module.params["state"] == "present":
        ended(module, jobs.wait(answer["job_id"], name, directory(module), timeout, poll), answer)
    elif answer["changed"]:
        jobs.wait_gone(name, timeout, poll)


def run(module: AnsibleModule, answer: dict) -> None:
    """Looks and acts under the lock, so that two runs at once do not both submit; waits without it."""
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
