"""The kinds of batch systems: their commands, job ids, letters for states, and exit codes.

The same exit code means different things to different systems (35 is "finished" to PBS Pro and "busy" to Torque), hence
one entry for each kind, chosen by the site and never sniffed. FATAL is what the request itself causes; a code or a text
that is in no table is a wait. From the systems' own error lists; tests read recorded sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .listing import Columns
from .reply import Ending, Phase, Verdict
from .scheduler import Commands, Question, System
from .slurm import SACCT_FORMAT, SQUEUE_FORMAT

_PBS_ID = re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+")
_WAITING, _RUNNING, _ENDED = Phase.WAITING, Phase.RUNNING, Phase.ENDED

# E(xiting) is not ended: the program may still write.
_PBS_STATES = {**dict.fromkeys("QHWT", _WAITING), **dict.fromkeys("RES", _RUNNING)}
_PBS_REASONS = {"H": "held"}
_PBS_STUCK = re.compile("held")
# Torque's qsub tries again when the server is silent, so that a failure to connect after it says nothing of before.
# A connection that broke says nothing of what the server did (recorded: code 67, and the job ran).
_PBS_TEXTS = (
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
_SLURM_TEXTS = (
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
    # What the request itself causes. The rest of sbatch's errors are waits: a plugin's words mean anything.
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
_SLURM_STUCK = re.compile(
    r"Partition(?:TimeLimit|NodeLimit|Config)|(?:Assoc|QOS)M(?:ax|in)\w*PerJob\w*|QOSMin\w+|BadConstraints"
    r"|JobHeld(?:Admin|User)|requeued held|(?:Account|QOS)NotAllowed|Invalid(?:Account|QOS)|DependencyNeverSatisfied"
    r"|ReservationDeleted|not (?:in group )?permitted to use this partition"
)
_WALLTIME = Ending("its walltime was over", is_external=True)
_KILLED = Ending("it was killed", is_external=True)
_CANCELLED = Ending("it was cancelled", is_external=True)
_NODE_FAILED = Ending("its node failed", is_external=True)
_MEMORY = Ending("it used more memory than it may", is_external=False)
_NOT_STARTED = Ending("the node could not start it", is_external=True)


def _codes(verdicts: Mapping[Verdict, Sequence[int]]) -> dict[int, Verdict]:
    return {code: verdict for verdict, codes in verdicts.items() for code in codes}


ANSWERS: dict[str, System] = {
    "torque": System(
        dialects=("torque", "torque_cray"),
        native_id=_PBS_ID,
        states={**_PBS_STATES, "C": _ENDED},
        columns=Columns(id_width=26, state=69),
        reasons=_PBS_REASONS,
        stuck=_PBS_STUCK,
        # XML, because an environment with newlines can write attributes into qstat -f.
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-x"), "xml")),
        unknown=re.compile(r"Unknown Job Id"),
        texts=_PBS_TEXTS,
        # PBSE_* of src/include/pbs_error_db.h less 15000 plus 152; below 100 those from 15104 on.
        codes=_codes(
            {
                Verdict.GONE: [153, 170],  # unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [
                    # cannot connect, server busy, no such client, trqauthd, login busy, queue in recovery
                    *(16, 29, 30, 31, 33, 35, 63),
                    # munge, host, credential, expired; queue not enabled, connections, resource, shutting down, queue
                    *(160, 161, 162, 173, 174, 175, 187, 198, 214, 255),
                ],
                Verdict.LIMIT: [200, 228],
                # end of file; system, internal, protocol, timeout; socket errors
                Verdict.DOUBT: [10, 67, 164, 165, 185, 210, 237, 249, 250, 251],
                Verdict.FATAL: [
                    *(2, 4),  # qsub's own: usage, options that exclude each other
                    # attribute, permission, value, queue, its access, user, resource, its limits
                    *(154, 159, 168, 172, 176, 177, 189, 190),
                    # route, script, group, limit, account, dependency, no batch jobs, not rerunable, array
                    *(193, 196, 199, 202, 203, 208, 231, 232, 233, 235, 241),
                ],
            }
        ),
        # JOB_EXEC_* of src/include/server_limits.h; 256 and the signal's number (recorded: -11, 265, 271)
        endings={
            **{-1: _NOT_STARTED, -2: _NOT_STARTED, -3: _NOT_STARTED, -10: _MEMORY, -11: _WALLTIME, -12: _WALLTIME},
            **{256 + 9: _KILLED, 256 + 15: _KILLED},
            0: Ending("its processes died", is_external=True),
        },
    ),
    "pbspro": System(
        dialects=("pbspro",),
        native_id=_PBS_ID,
        states={**_PBS_STATES, "B": _RUNNING, "U": _RUNNING, "M": _RUNNING, "F": _ENDED, "X": _ENDED},
        columns=Columns(id_width=17, state=62),
        reasons=_PBS_REASONS,
        stuck=_PBS_STUCK,
        # Not its JSON, which environments break.
        commands=Commands(
            ("qsub",),
            ("qdel",),
            ("qstat",),
            Question(("qstat", "-f"), "folded"),
            history=Question(("qstat", "-x", "-f"), "folded"),
        ),
        unknown=re.compile(r"Unknown Job Id|Job has finished|not configured to maintain job history"),
        texts=_PBS_TEXTS,
        # PBSE_* of src/include/pbs_error.h less 15000 plus 152; below 100 those from 15104 on.
        codes=_codes(
            {
                Verdict.GONE: [35, 153, 168],  # finished; unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [171, 173, 212],  # credential, queue not enabled, shutting down
                Verdict.LIMIT: [38, 198],
                Verdict.DOUBT: [162, 163, 183],  # system, internal, protocol
                Verdict.FATAL: [2, 159, 166, 170, 174, 187, 188, 201],
            }
        ),
        # (recorded: -29, 271)
        endings={-29: _WALLTIME, -27: _MEMORY, 256 + 9: _KILLED, 256 + 15: _KILLED},
    ),
    # Slurm behind its Torque wrappers: sbatch's words, exit 1 for everything. U is their word for states in between.
    "slurm_torque": System(
        dialects=("torque", "torque_cray"),
        native_id=re.compile(r"[0-9]+"),
        states={"Q": _WAITING, "R": _RUNNING, "S": _RUNNING, "U": _RUNNING, "C": _ENDED},
        columns=Columns(id_width=19, state=62),
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-f"), "wrapper")),
        codes={153: Verdict.GONE},
        texts=_SLURM_TEXTS,
        empty_code=153,
        gone_silently=1,
    ),
    # Slurm's own commands, whose exit codes say nothing: 1, 8, 140, 210, 239, 255 (recorded). Letters are squeue's,
    # words sacct's, which keeps no history where nobody set up the accounting. A state that is not in the table is one
    # in between.
    "slurm": System(
        dialects=("slurm",),
        native_id=re.compile(r"[0-9]+"),
        states={
            **dict.fromkeys(["PD", "RQ", "RH", "RF", "RD", "SE"], _WAITING),
            **dict.fromkeys(["R", "CF", "CG", "S", "ST", "SI", "SO", "RS", "RV"], _RUNNING),
            **dict.fromkeys(["CD", "CA", "F", "TO", "NF", "OOM", "BF", "DL", "PR"], _ENDED),
            **dict.fromkeys(["PENDING", "REQUEUED"], _WAITING),
            **dict.fromkeys(["COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"], _ENDED),
            **dict.fromkeys(["BOOT_FAIL", "DEADLINE", "PREEMPTED", "REVOKED"], _ENDED),
        },
        stuck=_SLURM_STUCK,
        commands=Commands(
            submit=("sbatch", "--parsable"),
            cancel=("scancel",),
            listing=("squeue", "-t", "all", "-o", SQUEUE_FORMAT, "-u"),
            status=Question(("squeue", "-t", "all", "-o", SQUEUE_FORMAT, "-j"), "squeue"),
            history=Question(("sacct", "-X", "-P", "-o", SACCT_FORMAT, "-j"), "sacct", none_is_unknown=True),
            name="-J",
            by_user=True,
        ),
        unknown=re.compile(r"Invalid job id specified|accounting storage is disabled"),
        after_id=r"(?:;[A-Za-z0-9_.-]+)?",  # the cluster, where there are several
        codes={},
        texts=(
            (re.compile(r"Invalid job id specified|already completing or completed"), Verdict.GONE),
            *_SLURM_TEXTS,
        ),
        endings={
            **dict.fromkeys(["TO", "TIMEOUT", "DL", "DEADLINE"], _WALLTIME),
            **dict.fromkeys(["CA", "CANCELLED", "REVOKED"], _CANCELLED),
            **dict.fromkeys(["NF", "NODE_FAIL", "BF", "BOOT_FAIL"], _NODE_FAILED),
            **dict.fromkeys(["PR", "PREEMPTED"], Ending("it was preempted", is_external=True)),
            **dict.fromkeys(["OOM", "OUT_OF_MEMORY"], _MEMORY),
        },
    ),
}
