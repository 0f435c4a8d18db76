"""Read the answers of one scheduler by its table of commands, states and codes.

An answer that cannot be read raises AnswerError: it never means "there is no such job". FATAL is a code that the
request itself causes; an unknown code or text is a wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .attributes import job_of
from .listing import Listing
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

# Exit codes that are not the scheduler's: a shell's for a program that it cannot run, timeout's, and those of signals,
# some of which a scheduler uses itself.
NOT_RUN = (126, 127)
TIMED_OUT = 124
SIGNALS = range(129, 160)

WALLTIME_EXCEEDED = Ending("its walltime was over", is_external=True)
KILLED = Ending("it was killed", is_external=True)
OUT_OF_MEMORY = Ending("it used more memory than it may", is_external=False)


@dataclass(frozen=True)
class Question:
    """Command for one job's full status, and the reader of its answer.

    The job's id is appended to ``words``. ``none_is_unknown``: a whole answer without a job says that the job is not
    known."""

    words: tuple[str, ...]
    read: Callable[[str], list[Attributes]]
    none_is_unknown: bool = False


@dataclass(frozen=True)
class Commands:
    """Commands as argument lists, to which a script or a job id is appended.

    ``by_user``: a user is appended to ``listing``. ``name`` is the option for a job's name; ``history`` asks for
    ended jobs, where the scheduler has one."""

    submit: tuple[str, ...]
    cancel: tuple[str, ...]
    listing: tuple[str, ...]
    status: Question
    history: Question | None = None
    name: str = "-N"
    by_user: bool = False


@dataclass(frozen=True)
class Scheduler:
    """One scheduler: its job ids, states, exit codes and commands.

    ``dialects`` are the entries of ``registry.DIALECTS`` that its submission command reads."""

    dialects: Sequence[str]
    native_id: re.Pattern[str]
    states: Mapping[str, Phase]
    codes: Mapping[int, Verdict]
    commands: Commands
    read_listing: Callable[[Reply, Mapping[str, Phase]], Listing]
    # Reasons with which a job waits until a person acts.
    stuck: re.Pattern[str] | None = None
    # Causes of a job's end by its exit status or its state; the exit status comes first.
    endings: Mapping[int | str, Ending] = field(default_factory=dict)
    # Text of the scheduler about a job that it does not know; None where it is silent.
    unknown: re.Pattern[str] | None = None
    # Texts that decide before the exit code; the first match counts.
    texts: Sequence[tuple[re.Pattern[str], Verdict]] = ()
    # Pattern of what may follow the id in the answer to a submission.
    after_id: str = ""
    # Exit code of a silent cancel command for an unknown or ended job.
    gone_silently: int | None = None

    def submitted(self, reply: Reply) -> Submitted | Refused:
        """Read the answer to a submission.

        Only a last line that is a job id, with exit 0, is a job: warnings may come before it."""
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
        """Return the jobs in the answer to ``commands.listing``.

        Raises AnswerError when it is not a whole listing."""
        return self.read_listing(reply, self.states)

    def deleted(self, reply: Reply) -> Refused | None:
        """Return the refusal of a cancel command, None when the job ends or has ended."""
        text = _text(reply)
        if reply.code == 0 or (not text and reply.code == self.gone_silently):
            return None
        verdict = self._verdict(reply.code, text)
        return None if verdict is Verdict.GONE else Refused(verdict, text or f"qdel ended with {reply.code}")

    def jobs(self, read: Callable[[str], list[Attributes]], text: str) -> list[Job]:
        """Return the jobs in a full status. Raises AnswerError when it is not whole."""
        return [job_of(one, self.native_id, self.states) for one in read(text)]

    def status(self, reply: Reply, native_id: str, asked: Question | None = None) -> Job | None:
        """Return one job from the answer to ``asked`` (None: ``commands.status``).

        ``native_id`` may be a cut one. None only where the scheduler itself says that it does not know the job, or
        keeps no history. Raises AnswerError for an answer that cannot be read, or that is about another job."""
        asked = asked or self.commands.status
        if reply.code != 0 or not reply.stdout.strip():
            if self._is_unknown(reply):
                return None
            raise AnswerError(f"the full status of {native_id} ended with {reply.code}: {excerpt(reply)}")
        told = self.jobs(asked.read, reply.stdout)
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
        """Return the cause of a job's end by its exit status or state.

        An exit status of 0 is no success without the script's exit file: Torque reports 0 for a job whose processes
        died while its mom was away."""
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
        # A killed program may have done its work before. Any other unknown code is a wait.
        return Verdict.DOUBT if code == TIMED_OUT or code in SIGNALS or code < 0 else Verdict.BUSY


def by_code(verdicts: Mapping[Verdict, Sequence[int]]) -> dict[int, Verdict]:
    """Turn lists of exit codes by verdict into verdicts by exit code."""
    return {code: verdict for verdict, codes in verdicts.items() for code in codes}


def _text(reply: Reply) -> str:
    return "\n".join(part.strip() for part in (reply.stderr, reply.stdout) if part.strip())
