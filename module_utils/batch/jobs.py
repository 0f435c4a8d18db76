"""Submit, follow and cancel one job by its name, on the scheduler's host.

The caller passes the function that runs programs, so tests need no scheduler.
"""

from __future__ import annotations

import contextlib
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .listing import Listing
from .process import LimitError
from .registry import DIALECTS
from .reply import AnswerError, Job, Phase, Refused, Reply, Verdict, same_job
from .scheduler import Question, Scheduler

EXIT_FILE = "exit"  # written by a script of batch_script: "<job id> <exit code>"
# Looks without the job before it is gone: network file systems show a new exit file late.
LOOKS = 2

_Answer = TypeVar("_Answer")


class JobError(Exception):
    """A failed request.

    ``verdict`` says whether to try again; ``code`` and ``text`` are the scheduler's own."""

    def __init__(self, message: str, verdict: Verdict, code: int | None = None, text: str = "") -> None:
        super().__init__(message)
        self.verdict = verdict
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Ended:
    """An ended job.

    ``evidence`` is exit_file or status; ``job`` is its full status, if the scheduler still has it."""

    exit_status: int
    evidence: str
    job: Job | None


@dataclass
class Jobs:
    """One user's jobs.

    ``run`` takes words and a working directory (None: any); it raises OSError for a missing program, LimitError for
    one that did not end. ``sleep`` and ``clock`` are in seconds."""

    scheduler: Scheduler
    user: str
    run: Callable[[Sequence[str], str | None], Reply]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def live(self, name: str) -> list[Job]:
        """Return the user's jobs of this name that wait or run.

        Raises JobError when an answer cannot be read."""
        try:
            seen = [one for one in self._listing().named(name, self.user) if one.phase is not Phase.ENDED]
            found = [self._status(one.short_id) for one in seen]
        except AnswerError as error:
            raise JobError(
                f"it is not known whether a job {name!r} of {self.user} is there: {error}", Verdict.BUSY
            ) from None
        # The listing cuts users' names, the full status does not.
        return [
            job for job in found if job and job.phase is not Phase.ENDED and (job.name, job.user) == (name, self.user)
        ]

    def submit(self, script: Path, name: str, directory: Path) -> str:
        """Submit the script from ``directory`` and return the job's id.

        The listing settles an answer in doubt. Raises JobError when there is no job."""
        words = [*self.scheduler.commands.submit, self.scheduler.commands.name, name, str(script)]
        answer, code = self._order(words, str(directory), self.scheduler.submitted)
        if not isinstance(answer, Refused):
            return answer.native_id
        if answer.verdict is Verdict.DOUBT:
            # The listing shows whether it was submitted. If it cannot be read, report the doubt.
            with contextlib.suppress(JobError):
                for job in self.live(name):
                    return job.native_id
        raise JobError(
            f"{words[0]} gave no job {name!r} for {script} ({_how(answer, code)}): {answer.text}",
            answer.verdict,
            code,
            answer.text,
        )

    def cancel(self, job: Job) -> None:
        """Cancel the job. Raises JobError for a refusal; a job that is gone is none."""
        words = [*self.scheduler.commands.cancel, job.native_id]
        refused, code = self._order(words, None, self.scheduler.deleted)
        if refused:
            raise JobError(
                f"{words[0]} did not cancel job {job.name!r}, {job.native_id} ({_how(refused, code)}): {refused.text}",
                refused.verdict,
                code,
                refused.text,
            )

    def wait(self, native_id: str, name: str, directory: Path, timeout: float, poll: float) -> Ended:
        """Follow a job to its end, looking every ``poll`` seconds for at most ``timeout``.

        Only the exit file is evidence of success, neither an absent job nor an exit status of 0. An answer that
        cannot be read changes nothing. Raises JobError after ``timeout``, or when the job is gone without a trace."""
        absent, problem = 0, ""
        for _ in self._looks(timeout, poll):
            try:
                seen = self._listing().find(native_id, name)
                if seen and seen.phase is not Phase.ENDED:
                    absent = 0
                    continue
                code = exit_code(directory, native_id)
                if code is not None:
                    return Ended(code, "exit_file", self._known(native_id))
                job = self._status(native_id)
            except AnswerError as error:
                problem = f"; the last answer could not be read: {error}"
                continue
            problem = ""
            # Torque reports 0 for a job whose processes died while its mom was away: only the exit file is a success.
            if job and job.exit_status:
                return Ended(job.exit_status, "status", job)
            absent = 0 if job and job.phase is not Phase.ENDED else absent + 1
            if absent >= LOOKS:
                told = (
                    self.scheduler.ending(job.state, job.exit_status).text
                    if job
                    else "the batch system does not know it"
                )
                raise JobError(_without_trace(native_id, name, directory, told), Verdict.GONE)
        raise JobError(
            f"job {name!r}, {native_id}, has not ended within {timeout:g} s and goes on; run this again to wait on, "
            f"it will not be submitted twice{problem}",
            Verdict.BUSY,
        )

    def wait_gone(self, name: str, timeout: float, poll: float) -> None:
        """Wait until no job of this name waits or runs. Raises JobError after ``timeout``."""
        problem = ""
        for _ in self._looks(timeout, poll):
            try:
                if not self.live(name):
                    return
                problem = ""
            except JobError as error:
                if error.verdict is Verdict.FATAL:
                    raise
                problem = f"; {error}"
        raise JobError(f"job {name!r} was cancelled and is not gone after {timeout:g} s{problem}", Verdict.BUSY)

    def _looks(self, timeout: float, poll: float) -> Iterator[None]:
        """Yield at once, then every ``poll`` seconds, for the last time after ``timeout``."""
        end = self.clock() + timeout
        while True:
            yield
            left = end - self.clock()
            if left <= 0:
                return
            self.sleep(min(poll, left))

    def _listing(self) -> Listing:
        commands = self.scheduler.commands
        words = [*commands.listing, self.user] if commands.by_user else list(commands.listing)
        return self.scheduler.listed(self._run(words, None))

    def _status(self, native_id: str) -> Job | None:
        """Return the full status; None for an unknown job.

        Asks the history, too, where that may have more."""
        commands = self.scheduler.commands
        job = self._told(commands.status, native_id)
        if commands.history and (job is None or (job.phase is Phase.ENDED and job.exit_status is None)):
            with contextlib.suppress(JobError):  # sacct is not on every host that has squeue
                job = self._told(commands.history, native_id) or job
        return job

    def _told(self, asked: Question, native_id: str) -> Job | None:
        return self.scheduler.status(self._run([*asked.words, native_id], None), native_id, asked)

    def _order(
        self, words: Sequence[str], directory: str | None, read: Callable[[Reply], _Answer]
    ) -> tuple[_Answer | Refused, int | None]:
        """Run a command that changes something; return its answer and exit code.

        The answer of a command that did not end is in doubt."""
        try:
            reply = self._run(words, directory)
        except AnswerError as error:
            return Refused(Verdict.DOUBT, str(error)), None
        return read(reply), reply.code

    def _known(self, native_id: str) -> Job | None:
        """Return the full status, or None where it cannot be read."""
        with contextlib.suppress(AnswerError):
            return self._status(native_id)
        return None

    def _run(self, words: Sequence[str], directory: str | None) -> Reply:
        """Run a command.

        Raises AnswerError when the program did not end, JobError when it is missing."""
        try:
            return self.run(words, directory)
        except LimitError as error:
            raise AnswerError(
                f"{error} on {platform.node()}; run it there by hand to see whether the batch system answers, or raise "
                "command_timeout"
            ) from None
        except OSError as error:
            raise JobError(
                f"{words[0]} cannot be run as {self.user}: {error.strerror or error}; put the batch system's commands "
                "on PATH (environment: PATH of the task), or correct scheduler, which decides the commands",
                Verdict.FATAL,
            ) from None


def _how(refused: Refused, code: int | None) -> str:
    return refused.verdict.value if code is None else f"exit {code}, {refused.verdict.value}"


def array_line(script: str, dialects: Sequence[str]) -> int | None:
    """Return the number of the line that requests an array in one of the dialects.

    None for a script without such a line."""
    for number, line in enumerate(script.splitlines(), 1):
        for dialect in (DIALECTS[name] for name in dialects):
            words = line[len(dialect.prefix) :].split() if line.startswith(dialect.prefix) else []
            if any(re.fullmatch(rf"{re.escape(dialect.array)}(?:=?[0-9].*)?", word) for word in words):
                return number
    return None


def exit_code(directory: Path, native_id: str) -> int | None:
    """Return the exit code in the job's exit file.

    None where the file is missing or belongs to another job."""
    try:
        words = (directory / EXIT_FILE).read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return None
    if len(words) != 2 or not re.fullmatch("[0-9]{1,3}", words[1]):
        return None
    # The id inside a job may have a prefix: 0:123.server.
    return int(words[1]) if same_job(words[0], native_id) else None


def _without_trace(native_id: str, name: str, directory: Path, told: str) -> str:
    return (
        f"job {name!r}, {native_id}, is gone and left no exit file {directory / EXIT_FILE}: {told}; read its output "
        f"in {directory}: it was killed or its script does not write one (batch_script's do)"
    )
