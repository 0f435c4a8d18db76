"""The kinds of batch systems: their commands, job ids, letters for states, exit codes, and how they are read.

Pure Python without imports of Ansible or Django: the Ansible module ``batch_job`` and the render manager use this same
file. It runs on whatever Python the login node has, hence nothing newer than Python 3.8.

The same exit code means different things to different systems (35 is "finished" to PBS Pro and "busy" to Torque), hence
one table entry for each kind, chosen by the site and never sniffed. An answer that cannot be read raises AnswerError:
it is never taken for "there is no such job". Tables: the systems' own error lists; tests read recorded sessions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .batch_attributes import job_of
from .batch_listing import Listing, qstat_listing
from .batch_reply import (
    AnswerError,
    Attributes,
    Job,
    Phase,
    Refused,
    Reply,
    Seen,
    Submitted,
    Verdict,
    excerpt,
    number,
    same_job,
)
from .batch_status_json import qstat_json
from .batch_status_slurm import SACCT_FORMAT, SQUEUE_FORMAT, sacct, squeue
from .batch_status_text import folded, wrapper
from .batch_status_xml import qstat_xml

# The readers of full status, by the names that the table below calls them.
FORMS: dict[str, Callable[[str], list[Attributes]]] = {
    "folded": folded,
    "wrapper": wrapper,
    "xml": qstat_xml,
    "json": qstat_json,
    "squeue": squeue,
    "sacct": sacct,
}


@dataclass(frozen=True)
class Question:
    """How to ask for one job's full status: what to run, with the id appended, and the form of the answer.

    ``none_is_unknown``: a whole answer without a job says that the job is not known."""

    words: tuple[str, ...]
    form: str
    none_is_unknown: bool = False


@dataclass(frozen=True)
class Commands:
    """What to run, as argument lists to append to: a script, a job id, or for ``listing`` a user where ``by_user`` says
    so. ``name`` is the option for a job's name; jobs that are over are in ``history``, where there is one."""

    submit: tuple[str, ...]
    cancel: tuple[str, ...]
    listing: tuple[str, ...]
    status: Question
    history: Question | None = None
    name: str = "-N"
    by_user: bool = False


@dataclass(frozen=True)
class System:
    """One kind of batch system: its job ids, its letters for states, its exit codes, its ways."""

    native_id: re.Pattern[str]
    states: Mapping[str, Phase]
    codes: Mapping[int, Verdict]
    commands: Commands
    # What the system says of a job that it does not know; None where it says nothing.
    unknown: re.Pattern[str] | None = None
    # Texts that decide where the exit code says nothing; the first that is found counts.
    texts: Sequence[tuple[re.Pattern[str], Verdict]] = ()
    # A pattern of what may follow the id in the answer to a submission.
    after_id: str = ""
    # What qstat exits with, without a word, when there is no job at all.
    empty_code: int = 0
    # What qdel exits with, without a word, for a job that is not there (any more).
    gone_silently: int | None = None

    def submitted(self, reply: Reply) -> Submitted | Refused:
        """What qsub answered. Only a last line that is a job id, with exit 0, is a job: warnings may come before it."""
        text = _text(reply)
        if reply.code == 0:
            lines = [line.strip() for line in reply.stdout.splitlines() if line.strip()]
            last = re.fullmatch(f"(?P<id>{self.native_id.pattern}){self.after_id}", lines[-1]) if lines else None
            if last:
                return Submitted(last["id"])
            return Refused(Verdict.DOUBT, text or "qsub said nothing")
        verdict = self._verdict(reply.code, text, Verdict.FATAL)
        return Refused(verdict if verdict is not Verdict.GONE else Verdict.FATAL, text or f"qsub: exit {reply.code}")

    def listed(self, reply: Reply) -> Listing:
        """The jobs in the answer to ``commands.listing``, by number. Raises AnswerError when it is not a whole one."""
        if not self.commands.by_user:
            return qstat_listing(reply, self.states, self.empty_code)
        if reply.code != 0:
            raise AnswerError(f"{self.commands.listing[0]} ended with {reply.code}: {excerpt(reply)}")
        # In our own format every line is one of ours, so one that cannot be read is an error.
        jobs = self.jobs(self.commands.status.form, reply.stdout)
        return Listing(Seen(job.native_id, job.name, job.phase, job.user, job.native_id) for job in jobs)

    def jobs(self, form: str, text: str) -> list[Job]:
        """The jobs in a full status of that form. Raises AnswerError when it is not a whole one."""
        return [job_of(one, self.native_id, self.states) for one in FORMS[form](text)]

    def deleted(self, reply: Reply) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        text = _text(reply)
        if reply.code == 0 or (not text and reply.code == self.gone_silently):
            return None
        verdict = self._verdict(reply.code, text, Verdict.BUSY)
        return None if verdict is Verdict.GONE else Refused(verdict, text or f"qdel ended with {reply.code}")

    def status(self, reply: Reply, native_id: str, asked: Question | None = None) -> Job | None:
        """One job in the answer to ``asked`` (None: ``commands.status``) for its id; listings' cut ones will do.

        None only where the system itself says that it does not know the job, or keeps no history. Raises AnswerError
        for an answer that cannot be read, or that is about another job."""
        asked = asked or self.commands.status
        if reply.code != 0 or (_NO_HISTORY.search(reply.stderr) and not reply.stdout.strip()):
            if self._is_unknown(reply):
                return None
            raise AnswerError(f"the full status of {native_id} ended with {reply.code}: {excerpt(reply)}")
        told = self.jobs(asked.form, reply.stdout)
        if not told and asked.none_is_unknown:
            return None
        jobs = [job for job in told if number(job.native_id) == number(native_id)]
        if len(jobs) != 1 or not same_job(jobs[0].native_id, native_id):
            raise AnswerError(f"the answer is not about {native_id}: {excerpt(reply)}")
        return jobs[0]

    def _is_unknown(self, reply: Reply) -> bool:
        if self.unknown is None:
            return not _text(reply) and self.codes.get(reply.code) is Verdict.GONE
        return bool(self.unknown.search(_text(reply)))

    def _verdict(self, code: int, text: str, default: Verdict) -> Verdict:
        for pattern, verdict in self.texts:
            if pattern.search(text):
                return verdict
        return self.codes.get(code, default)


def _text(reply: Reply) -> str:
    return "\n".join(part.strip() for part in (reply.stderr, reply.stdout) if part.strip())


_NO_HISTORY = re.compile(r"not configured to maintain job history")
_PBS_ID = re.compile(r"[0-9]+(\[[0-9]*\])?\.[A-Za-z0-9_.-]+")
_WAITING, _RUNNING, _ENDED = Phase.WAITING, Phase.RUNNING, Phase.ENDED

# E(xiting) is not ended: the program may still write.
_PBS_STATES = {**dict.fromkeys("QHWT", _WAITING), **dict.fromkeys("RES", _RUNNING)}
_SLURM_TEXTS = (
    (re.compile(r"timed out|Zero Bytes were transmitted|Message receive failure"), Verdict.DOUBT),
    (re.compile(r"Unable to contact slurm controller|temporarily disabled"), Verdict.BUSY),
    (re.compile(r"SubmitJob|SubmitLimit|MaxSubmit|temporarily unable to accept job"), Verdict.LIMIT),
)


def _codes(verdicts: Mapping[Verdict, Sequence[int]]) -> dict[int, Verdict]:
    return {code: verdict for verdict, codes in verdicts.items() for code in codes}


ANSWERS: dict[str, System] = {
    "torque": System(
        native_id=_PBS_ID,
        states={**_PBS_STATES, "C": _ENDED},
        # XML, because an environment with newlines can write attributes into qstat -f.
        commands=Commands(("qsub",), ("qdel",), ("qstat",), Question(("qstat", "-x"), "xml")),
        unknown=re.compile(r"Unknown Job Id"),
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
        unknown=re.compile(rf"Unknown Job Id|Job has finished|{_NO_HISTORY.pattern}"),
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
