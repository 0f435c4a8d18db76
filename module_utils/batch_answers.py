"""The kinds of batch systems: their commands, job ids, letters for states, and exit codes.

The same exit code means different things to different systems (35 is "finished" to PBS Pro and "busy" to Torque), hence
one entry for each kind, chosen by the site and never sniffed. From the systems' own error lists; tests read recorded
sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .batch_reply import Phase, Verdict
from .batch_status_slurm import SACCT_FORMAT, SQUEUE_FORMAT
from .batch_system import Commands, Question, System

_PBS_ID = re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+")
_WAITING, _RUNNING, _ENDED = Phase.WAITING, Phase.RUNNING, Phase.ENDED

# E(xiting) is not ended: the program may still write.
_PBS_STATES = {**dict.fromkeys("QHWT", _WAITING), **dict.fromkeys("RES", _RUNNING)}
# Torque's qsub tries again when the server is silent, so that a failure to connect after it says nothing of before.
_PBS_TEXTS = (
    (re.compile(r"timed out"), Verdict.DOUBT),
    (
        re.compile(
            "cannot connect to (?:server|trqauthd)|connection refused|no route to host|unable to communicate with"
            "|unknown host",
            re.IGNORECASE,
        ),
        Verdict.BUSY,
    ),
)
_SLURM_TEXTS = (
    (re.compile(r"timed out|Zero Bytes were transmitted|Message receive failure"), Verdict.DOUBT),
    (re.compile(r"Unable to contact slurm controller|temporarily disabled"), Verdict.BUSY),
    (re.compile(r"SubmitJob|SubmitLimit|MaxSubmit|temporarily unable to accept job"), Verdict.LIMIT),
)


def _codes(verdicts: Mapping[Verdict, Sequence[int]]) -> dict[int, Verdict]:
    return {code: verdict for verdict, codes in verdicts.items() for code in codes}


ANSWERS: dict[str, System] = {
    "torque": System(
        dialects=("torque", "torque_cray"),
        native_id=_PBS_ID,
        states={**_PBS_STATES, "C": _ENDED},
        # XML, because an environment with newlines can write attributes into qstat -f.
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-x"), "xml")),
        unknown=re.compile(r"Unknown Job Id"),
        texts=_PBS_TEXTS,
        codes=_codes(
            {
                Verdict.GONE: [153, 170],  # unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [29, 30, 35, 173],  # server not found, busy, login busy; credential
                Verdict.LIMIT: [200, 228],
                Verdict.DOUBT: [164, 185, 237],  # system, protocol, timeout
                Verdict.FATAL: [159, 166, 172, 175, 176, 189, 190, 203],
            }
        ),
    ),
    "pbspro": System(
        dialects=("pbspro",),
        native_id=_PBS_ID,
        states={**_PBS_STATES, "B": _RUNNING, "U": _RUNNING, "M": _RUNNING, "F": _ENDED, "X": _ENDED},
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
        codes=_codes(
            {
                Verdict.GONE: [35, 153, 168],  # finished; unknown job; bad state: qdel of an ended job
                Verdict.BUSY: [171],  # credential
                Verdict.LIMIT: [38, 198],
                Verdict.DOUBT: [162, 183],  # system, protocol
                Verdict.FATAL: [159, 166, 170, 173, 174, 187, 188, 201],
            }
        ),
    ),
    # Slurm behind its Torque wrappers: sbatch's words, exit 1 for everything. U is their word for states in between.
    "slurm_torque": System(
        dialects=("torque", "torque_cray"),
        native_id=re.compile(r"[0-9]+"),
        states={"Q": _WAITING, "R": _RUNNING, "S": _RUNNING, "U": _RUNNING, "C": _ENDED},
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-f"), "wrapper")),
        codes={153: Verdict.GONE},
        texts=_SLURM_TEXTS,
        empty_code=153,
        gone_silently=1,
    ),
    # Slurm's own commands: exit 1 for everything. Letters are squeue's, words sacct's, which keeps no history where
    # nobody set up the accounting. A state that is not in the table is one in between.
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
            *_SLURM_TEXTS,
            (re.compile(r"Invalid job id specified|already completing or completed"), Verdict.GONE),
            (re.compile(r"[Pp]ermission denied"), Verdict.FATAL),
        ),
    ),
}
