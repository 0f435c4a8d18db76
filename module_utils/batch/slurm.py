"""Slurm and its Torque wrappers: directives, commands, states, error texts.

Sources: recorded sessions of 24.11 and, of the wrappers, 22.05; squeue(1).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from . import torque
from .attributes import job_of
from .dialect import Dialect, dependencies
from .listing import Listing
from .qstat import Columns, blocks, qstat_listing
from .reply import AnswerError, Attributes, Ending, Phase, Reply, Seen, Verdict, excerpt, number, short
from .scheduler import OUT_OF_MEMORY, WALLTIME_EXCEEDED, Commands, Question, Scheduler
from .spec import BatchSpec, format_walltime, parse_walltime

# -- directives --------------------------------------------------------------------------------------------------------


def _directives(spec: BatchSpec) -> list[str]:
    lines = [f"--job-name={spec.name}", f"--partition={spec.queue}"]
    if spec.account:
        lines.append(f"--account={spec.account}")
    kinds = {"abort": "FAIL", "begin": "BEGIN", "end": "END"}
    lines += [
        f"--nodes={spec.nodes}",
        f"--ntasks-per-node={spec.launch.N}",
        f"--cpus-per-task={spec.launch.d}",
        f"--time={format_walltime(parse_walltime(spec.walltime))}",
        "--no-requeue",
        f"--mail-type={','.join(kind for word, kind in kinds.items() if word in spec.mail_on) or 'NONE'}",
    ]
    if spec.mail_on:
        lines.append(f"--mail-user={','.join(spec.mail_to)}")
    lines.append(f"--output={spec.directory}/{spec.name}{'-%a' if spec.array else ''}.out")
    if spec.array:
        lines.append(f"--array={spec.array}")
    if spec.after:
        lines.append(f"--dependency={dependencies(spec)}")
    lines.append(f"--export={','.join(spec.export) if spec.export else 'NONE'}")
    return lines


# Aliases of fields of the description, and options that break what it relies on.
_NEVER = (
    *("--array", "--dependency", "--ntasks", "--ntasks-per-core", "--ntasks-per-socket", "--ntasks-per-gpu"),
    *("--cpus-per-gpu", "--time-min", "--export-file", "--get-user-env", "--requeue", "--wrap", "--hold", "--wait"),
    *("--test-only", "--parsable", "--clusters"),
)

DIALECTS = {
    "slurm": Dialect(
        "#SBATCH",
        _directives,
        array="--array",
        job_id=re.compile(r"[0-9]{1,18}(_[0-9]{1,9})?"),
        job_id_env="SLURM_JOB_ID",
        index_env="SLURM_ARRAY_TASK_ID",
        never=frozenset(_NEVER),
        env_prefixes=("SLURM_", "SLURMD_", "SBATCH_"),
        lacks={"project": "Slurm charges accounts: use account"},
        option=re.compile(r"(?P<name>--[a-z][a-z-]+)(?:=(?P<value>[^\s'\"]+))?"),
        example="--constraint=ssd",
    ),
}

# -- answers -----------------------------------------------------------------------------------------------------------

NATIVE_ID = re.compile(r"[0-9]+")
# The name last: it may hold anything.
SQUEUE_FORMAT = "%i|%t|%M|%P|%u|%N|%r|%j"
# The second is the recorded one, without a reason.
_SQUEUE_HEADERS = tuple(f"JOBID|ST|TIME|PARTITION|USER|NODELIST|{reason}NAME" for reason in ("REASON|", ""))
SACCT_FORMAT = "JobIDRaw,State,ElapsedRaw,Partition,User,NodeList,ExitCode,JobName"
# A waiting array is one line, 6_[0-2], and so is each part of a heterogeneous job, 18+1.
_ID = re.compile(r"[0-9]+([_+]\S+)?")
# An unknown user gets an empty listing and exit 0 (recorded: squeue -u nosuchuser).
_COMPLAINT = re.compile(r"^(?:squeue: error|slurm_\w+ error): .*", re.MULTILINE)


def squeue(text: str) -> list[Attributes]:
    """Read squeue in ``SQUEUE_FORMAT``. Raises AnswerError for a line that is no row."""
    _, rows, unreadable = _rows(text, _SQUEUE_HEADERS)
    if unreadable:
        raise AnswerError(f"a line of Slurm's listing cannot be read: {short(unreadable[0])}")
    return [_squeue_job(row) for row in rows]


def squeue_listing(reply: Reply, states: Mapping[str, Phase]) -> Listing:
    """Read squeue's listing of one user.

    Lines that are no row are unreadable: names may have newlines. A job that is listed twice is unreadable too: a
    name forged one of its rows. Raises AnswerError when the answer is not a whole listing."""
    if reply.code != 0:
        raise AnswerError(f"squeue ended with {reply.code}: {excerpt(reply)}")
    before, rows, unreadable = _rows(reply.stdout, _SQUEUE_HEADERS)
    if complaint := _COMPLAINT.search("\n".join([*before, reply.stderr])):
        raise AnswerError(f"squeue gave no whole listing: {complaint[0]}")
    times = Counter(row[0] for row in rows)
    unreadable += ["|".join(row) for row in rows if times[row[0]] > 1]
    jobs = [job_of(_squeue_job(row), NATIVE_ID, states) for row in rows if times[row[0]] == 1]
    return Listing(
        (Seen(job.native_id, job.name, job.phase, job.user, job.native_id, job.state, job.reason) for job in jobs),
        unreadable,
    )


def sacct(text: str) -> list[Attributes]:
    """Read ``sacct -X -P`` in ``SACCT_FORMAT``.

    States are whole words, with more text behind CANCELLED. An exit code of 0 counts for a COMPLETED job alone: a
    job that exceeded its walltime has 0:0, too. A signal becomes 128 and its number, as in a shell. Raises
    AnswerError for a line that is no row."""
    _, rows, unreadable = _rows(text, (SACCT_FORMAT.replace(",", "|"),))
    if unreadable:
        raise AnswerError(f"a line of Slurm's accounting cannot be read: {short(unreadable[0])}")
    jobs = []
    for native_id, words, used, queue, user, hosts, ended_with, name in rows:
        state = words.split(" ")[0]
        match = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", ended_with)
        if not match:
            raise AnswerError(f"{ended_with!r} of job {native_id} is no exit code of sacct")
        code = int(match[1]) or (128 + int(match[2]) if int(match[2]) else 0)
        known = str(code) if code or state == "COMPLETED" else ""
        hosts = "" if hosts == "None assigned" else hosts
        jobs.append(_attributes(native_id, state, used, queue, user, hosts, known, "", name))
    return jobs


def _rows(text: str, headers: Sequence[str]) -> tuple[list[str], list[list[str]], list[str]]:
    """Return the lines before the header, the rows by column, the unreadable lines.

    Raises AnswerError for a listing that is not whole."""
    lines = text.split("\n")
    at = next((at for at, line in enumerate(lines) if line in headers), None)
    if at is None or lines[-1]:
        raise AnswerError(f"no whole listing of Slurm's in the answer: {short(text)}")
    last = lines[at].count("|")
    rows, unreadable = [], []
    for line in lines[at + 1 : -1]:
        columns = line.split("|", last)
        if _ID.fullmatch(columns[0]) and len(columns) == last + 1:
            rows.append(columns)
        else:
            unreadable.append(line)
    return lines[:at], rows, unreadable


def _squeue_job(row: list[str]) -> Attributes:
    native_id, state, used, queue, user, hosts, *reason, name = row
    # squeue has no exit code, but COMPLETED means 0.
    ended_with = "0" if state == "CD" else ""
    return _attributes(native_id, state, used, queue, user, hosts, ended_with, "".join(reason), name)


def _attributes(
    native_id: str, state: str, used: str, queue: str, user: str, hosts: str, ended_with: str, reason: str, name: str
) -> Attributes:
    found = {"job_name": name, "job_owner": user, "job_state": state, "queue": queue, "exec_host": hosts}
    reason = "" if reason == "None" else reason
    found.update({"resources_used.walltime": used, "exit_status": ended_with, "reason": reason})
    return Attributes(number(native_id), list(found.items()))


def wrapper(text: str) -> list[Attributes]:
    """Read ``qstat -f`` of Slurm's wrapper: a tab and ``key = value``, never folded."""
    return blocks(text, re.compile(r"\t([A-Za-z_][\w.]*) = ?(.*)"))


# -- tables ------------------------------------------------------------------------------------------------------------

_TEXTS = (
    (
        re.compile(
            r"timed out|Zero Bytes were transmitted|Message (?:receive|send) failure|Connection reset|Broken pipe"
        ),
        Verdict.DOUBT,
    ),
    (
        re.compile(
            "Unable to contact slurm controller|temporarily disabled|Protocol authentication error"
            r"|Required partition not available"
        ),
        Verdict.BUSY,
    ),
    (
        re.compile(
            r"SubmitJob|SubmitLimit|MaxSubmit|temporarily unable to accept job|Resource temporarily unavailable"
        ),
        Verdict.LIMIT,
    ),
    # Errors of the request itself. All other errors of sbatch are waits: a plugin's words mean anything.
    (
        re.compile(
            "[Ii]nvalid (?:partition|account|feature|generic resource|qos|license|node name|time limit|job array|--)"
            r"|Invalid \S+ specification|Requested (?:node configuration|reservation|time limit) is (?:not|invalid)"
            r"|specification can not be satisfied|can not be satisfied|unrecognized option|Unable to open file"
            r"|Job dependency problem|only permitted by root|Job violates accounting/QOS policy|[Pp]ermission denied"
            r"|does not look like a batch script|Batch script (?:contains DOS|is empty)"
        ),
        Verdict.FATAL,
    ),
)
# squeue's reasons with which a job never starts by itself (squeue(1), JOB REASON CODES).
_STUCK = re.compile(
    r"Partition(?:TimeLimit|NodeLimit|Config)|(?:Assoc|QOS)M(?:ax|in)\w*PerJob\w*|QOSMin\w+|BadConstraints"
    r"|JobHeld(?:Admin|User)|requeued held|(?:Account|QOS)NotAllowed|Invalid(?:Account|QOS)|DependencyNeverSatisfied"
    r"|ReservationDeleted|not (?:in group )?permitted to use this partition"
)
_CANCELLED = Ending("it was cancelled", is_external=True)
_NODE_FAILED = Ending("its node failed", is_external=True)

SCHEDULERS = {
    # Slurm behind its Torque wrappers: sbatch's words, exit 1 for everything. U is their letter for states in between.
    "slurm_torque": Scheduler(
        dialects=tuple(torque.DIALECTS),
        native_id=NATIVE_ID,
        states={
            "Q": Phase.WAITING,
            **dict.fromkeys("RSU", Phase.RUNNING),
            "C": Phase.ENDED,
        },
        read_listing=functools.partial(qstat_listing, columns=Columns(id_width=19, state=62), empty_code=153),
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-f"), wrapper)),
        codes={153: Verdict.GONE},
        texts=_TEXTS,
        gone_silently=1,
    ),
    # Slurm's own commands, whose exit codes say nothing: 1, 8, 140, 210, 239, 255 (recorded). Letters are squeue's,
    # words sacct's, which has no history where accounting is not set up. An unlisted state is one in between.
    "slurm": Scheduler(
        dialects=tuple(DIALECTS),
        native_id=NATIVE_ID,
        states={
            **dict.fromkeys(["PD", "RQ", "RH", "RF", "RD", "SE"], Phase.WAITING),
            **dict.fromkeys(["R", "CF", "CG", "S", "ST", "SI", "SO", "RS", "RV"], Phase.RUNNING),
            **dict.fromkeys(["CD", "CA", "F", "TO", "NF", "OOM", "BF", "DL", "PR"], Phase.ENDED),
            **dict.fromkeys(["PENDING", "REQUEUED"], Phase.WAITING),
            **dict.fromkeys(["COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"], Phase.ENDED),
            **dict.fromkeys(["BOOT_FAIL", "DEADLINE", "PREEMPTED", "REVOKED"], Phase.ENDED),
        },
        read_listing=squeue_listing,
        stuck=_STUCK,
        commands=Commands(
            submit=("sbatch", "--parsable"),
            cancel=("scancel",),
            listing=("squeue", "-t", "all", "-o", SQUEUE_FORMAT, "-u"),
            status=Question(("squeue", "-t", "all", "-o", SQUEUE_FORMAT, "-j"), squeue),
            history=Question(("sacct", "-X", "-P", "-o", SACCT_FORMAT, "-j"), sacct, none_is_unknown=True),
            name="-J",
            by_user=True,
        ),
        unknown=re.compile(r"Invalid job id specified|accounting storage is disabled"),
        after_id=r"(?:;[A-Za-z0-9_.-]+)?",  # the cluster's name, where there are several
        codes={},
        texts=((re.compile(r"Invalid job id specified|already completing or completed"), Verdict.GONE), *_TEXTS),
        endings={
            **dict.fromkeys(["TO", "TIMEOUT", "DL", "DEADLINE"], WALLTIME_EXCEEDED),
            **dict.fromkeys(["CA", "CANCELLED", "REVOKED"], _CANCELLED),
            **dict.fromkeys(["NF", "NODE_FAIL", "BF", "BOOT_FAIL"], _NODE_FAILED),
            **dict.fromkeys(["PR", "PREEMPTED"], Ending("it was preempted", is_external=True)),
            **dict.fromkeys(["OOM", "OUT_OF_MEMORY"], OUT_OF_MEMORY),
        },
    ),
}
