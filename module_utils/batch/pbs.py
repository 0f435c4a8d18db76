"""What Torque and PBS Pro have in common: directives, states, error texts.

Error texts are from recorded sessions and the schedulers' sources.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .dialect import dependencies
from .reply import Phase, Verdict
from .spec import BatchSpec, format_walltime, parse_walltime

NATIVE_ID = re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+")
# E(xiting) is not ended: the program may still write.
STATES = {**dict.fromkeys("QHWT", Phase.WAITING), **dict.fromkeys("RES", Phase.RUNNING)}
REASONS = {"H": "held"}
STUCK = re.compile("held")
TEXTS = (
    # Torque's qsub retries after a timeout: a later connection failure says nothing about the first attempt. A broken
    # connection says nothing about the server's side (recorded: code 67, and the job ran).
    (re.compile(r"timed out|End of File|Broken pipe|Connection reset"), Verdict.DOUBT),
    (
        re.compile(
            "cannot connect to (?:server|trqauthd)|connection refused|no route to host|unable to communicate with"
            "|unknown host",
            re.IGNORECASE,
        ),
        Verdict.BUSY,
    ),
    (re.compile(r"script file\b.*(?:No such file|cannot be loaded)"), Verdict.FATAL),
)

JOB_ID = re.compile(r"[0-9]{1,18}(\[[0-9]{0,9}\])?(\.[A-Za-z0-9][A-Za-z0-9_.-]{0,252})?")
JOB_ID_ENV = "PBS_JOBID"
ENV_PREFIXES = ("PBS_",)
# Aliases of fields of the description (sizes, start, arrays), and options that break what it relies on: the submitting
# shell's environment, a job that needs a terminal, waits for a release or prints no id.
NEVER = frozenset(["-V", "-t", "-J", "-L", "-I", "-X", "-h", "-z", "-C"]) | frozenset(
    {
        *(f"-W {name}" for name in ("depend", "block", "interactive")),
        *(f"-l {name}" for name in ("nodes", "procs", "size", "mppwidth", "mppnppn", "mppdepth")),
        *(f"-l {name}" for name in ("ncpus", "select", "place", "mpiprocs", "ompthreads")),
    }
)


def directives(
    resources: Callable[[BatchSpec], list[str]], array: str, array_output: str = "{name}.out"
) -> Callable[[BatchSpec], list[str]]:
    """Return a dialect's function for the directives around its own resource lists.

    ``array`` is the option for an array, ``array_output`` the file name of its output. No ``-V``: it copies the
    submitting shell's environment into the server's answers. No rerun: a job must not run twice under one id."""

    def lines_of(spec: BatchSpec) -> list[str]:
        lines = [f"-N {spec.name}", f"-q {spec.queue}"]
        if spec.account:
            lines.append(f"-A {spec.account}")
        if spec.project:
            lines.append(f"-P {spec.project}")
        lines += [f"-l {resource}" for resource in resources(spec)]
        lines.append(f"-l walltime={format_walltime(parse_walltime(spec.walltime))}")
        lines += ["-r n", "-j oe", *_mail(spec), "-S /bin/bash"]
        file = array_output if spec.array else "{name}.out"
        lines.append(f"-o {spec.directory}/{file.format(name=spec.name)}")
        if spec.array:
            lines.append(f"{array} {spec.array}")
        if spec.after:
            lines.append(f"-W depend={dependencies(spec)}")
        if spec.export:
            lines.append(f"-v {','.join(spec.export)}")
        return lines

    return lines_of


def _mail(spec: BatchSpec) -> list[str]:
    letters = "".join(letter for word, letter in (("abort", "a"), ("begin", "b"), ("end", "e")) if word in spec.mail_on)
    return [f"-m {letters}", f"-M {','.join(spec.mail_to)}"] if letters else ["-m n"]
