"""One kind of batch system: its commands, and how what they answer is read.

Pure Python without imports of Ansible or Django: the Ansible module ``batch_job`` and the render manager use this same
file. It runs on whatever Python the login node has, hence nothing newer than Python 3.8.

An answer that cannot be read raises AnswerError: it is never taken for "there is no such job".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .attributes import job_of
from .listing import Columns, Listing, qstat_listing
from .pbspro import qstat_json
from .qstat import folded, wrapper
from .reply import (
    AnswerError,
    Attributes,
    Ending,
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
from .slurm import sacct, squeue, squeue_listing
from .torque import qstat_xml

# The readers of full status, by the names that the table below calls them.
FORMS: dict[str, Callable[[str], list[Attributes]]] = {
    "folded": folded,
    "wrapper": wrapper,
    "xml": qstat_xml,
    "json": qstat_json,
    "squeue": squeue,
    "sacct": sacct,
}


# Exit codes that are not the batch system's: a shell's for a program that it cannot run, timeout's, and those of
# signals, some of which a batch system uses itself.
NOT_RUN = (126, 127)
TIMED_OUT = 124
KILLED = range(129, 160)


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
    """One kind of batch system: its job ids, its letters for states, its exit codes, its ways.

    ``dialects`` are those whose directives its command for submissions reads, entries of batch_dialects.DIALECTS."""

    dialects: Sequence[str]
    native_id: re.Pattern[str]
    states: Mapping[str, Phase]
    codes: Mapping[int, Verdict]
    commands: Commands
    # Where qstat prints the columns of a row; None where the listing is squeue's.
    columns: Columns | None = None
    # What states say in a listing beyond their phase.
    reasons: Mapping[str, str] = field(default_factory=dict)
    # Reasons with which a job waits until a person does something.
    stuck: re.Pattern[str] | None = None
    # What ended a job, by its exit status or its state; the first that is known counts.
    endings: Mapping[int | str, Ending] = field(default_factory=dict)
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
        verdict, text = self._verdict(reply.code, text), text or f"exit {reply.code}"
        if verdict is Verdict.BUSY and reply.code in NOT_RUN:
            program = self.commands.submit[0]
            text += f" ({program} was not run: it must be on PATH where a shell is not interactive, and executable)"
        return Refused(verdict if verdict is not Verdict.GONE else Verdict.FATAL, text)

    def listed(self, reply: Reply) -> Listing:
        """The jobs in the answer to ``commands.listing``, by number. Raises AnswerError when it is not a whole one."""
        if self.columns is None:
            return squeue_listing(reply, self.native_id, self.states)
        return qstat_listing(reply, self.states, self.empty_code, self.columns, self.reasons)

    def jobs(self, form: str, text: str) -> list[Job]:
        """The jobs in a full status of that form. Raises AnswerError when it is not a whole one."""
        return [job_of(one, self.native_id, self.states) for one in FORMS[form](text)]

    def deleted(self, reply: Reply) -> Refused | None:
        """None when the job is or will be gone, else what qdel said."""
        text = _text(reply)
        if reply.code == 0 or (not text and reply.code == self.gone_silently):
            return None
        verdict = self._verdict(reply.code, text)
        return None if verdict is Verdict.GONE else Refused(verdict, text or f"qdel ended with {reply.code}")

    def status(self, reply: Reply, native_id: str, asked: Question | None = None) -> Job | None:
        """One job in the answer to ``asked`` (None: ``commands.status``) for its id; listings' cut ones will do.

        None only where the system itself says that it does not know the job, or keeps no history. Raises AnswerError
        for an answer that cannot be read, or that is about another job."""
        asked = asked or self.commands.status
        if reply.code != 0 or not reply.stdout.strip():
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

    def is_stuck(self, seen: Seen) -> bool:
        """Return whether a listed job waits for a person: by itself it never starts."""
        return seen.phase is Phase.WAITING and bool(self.stuck and self.stuck.search(seen.reason))

    def ending(self, state: str, exit_status: int | None) -> Ending:
        """Return what the system says of how a job ended.

        An exit status of 0 is no success without the script's exit file: Torque says 0 of a job whose processes died
        while its mom was away."""
        known = self.endings.get(exit_status) if exit_status is not None else None
        known = known or self.endings.get(state)
        told = f"state {state}" + ("" if exit_status is None else f", exit status {exit_status}")
        if known:
            return Ending(f"{known.text} ({told})", known.is_external)
        return Ending(f"it ended ({told})", is_external=False)

    def _verdict(self, code: int, text: str) -> Verdict:
        if code in NOT_RUN:
            return Verdict.BUSY
        for pattern, verdict in self.texts:
            if pattern.search(text):
                return verdict
        if code in self.codes:
            return self.codes[code]
        # It may have been done before the program was killed. A code that nobody knows is a wait.
        return Verdict.DOUBT if code == TIMED_OUT or code in KILLED or code < 0 else Verdict.BUSY


def _text(reply: Reply) -> str:
    return "\n".join(part.strip() for part in (reply.stderr, reply.stdout) if part.strip())
