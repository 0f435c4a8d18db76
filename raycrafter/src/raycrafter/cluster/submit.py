"""A submission that does no harm when repeated.

A network that fails after qsub has run loses the answer, and a second qsub would run everything twice. So the login
node keeps the record: a lock directory is made before qsub, its answer is kept in files, and whoever comes again with
the lock in place gets that answer told once more; qsub does not run again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .batch.reply import Refused, Reply, Submitted
from .errors import RemoteError
from .scheduler import Scheduler
from .ssh import Remote

MARK = "raycrafter-submit:"
NO_DIRECTORY = 90  # exit code of the scripts below

_TELL = (
    f'if [ -e jobid ]; then echo "{MARK} 0"; cat jobid; '
    f'elif [ -e submit.rc ]; then echo "{MARK} $(cat submit.rc)"; cat submit.out; cat submit.err >&2; '
    f'elif [ -d submit.lock ]; then echo "{MARK} pending"; else echo "{MARK} none"; fi'
)
# The answer goes to files, so a qsub that leaves a process behind does not keep ssh waiting.
_SUBMIT = (
    f'cd "$1" || exit {NO_DIRECTORY}; umask 077; if mkdir submit.lock 2>/dev/null; then '
    "%s job.sh >submit.out 2>submit.err </dev/null; rc=$?; "
    'if [ "$rc" -eq 0 ]; then mv submit.out jobid; fi; '
    f'echo "$rc" >submit.rc.tmp && mv submit.rc.tmp submit.rc; fi; {_TELL}'
)
_LOOK = f'cd "$1" || exit {NO_DIRECTORY}; {_TELL}'
# Only after an answer that says that there is no job.
_REARM = 'cd "$1" && [ ! -e jobid ] && [ -e submit.rc ] && rm -f submit.rc submit.out submit.err && rmdir submit.lock'


@dataclass(frozen=True)
class NotSubmitted:
    """No submission was begun in this directory."""


@dataclass(frozen=True)
class Pending:
    """A submission was begun and its answer is not there: qsub runs, or its shell was killed."""


Answer = Submitted | Refused | NotSubmitted | Pending


def submit(remote: Remote, scheduler: Scheduler, directory: str) -> Answer:
    """Submits ``directory``/job.sh once, however often this is called.

    Raises SshError when the answer did not arrive (call ``look`` later), RemoteError when there is no directory.
    """
    return _read(remote.run(_SUBMIT % scheduler.submit, directory), scheduler, directory)


def look(remote: Remote, scheduler: Scheduler, directory: str) -> Answer:
    """What is known of the submission, without submitting. Raises as ``submit`` does."""
    result = remote.run(_LOOK, directory)
    # Without a directory there was no lock, and without a lock no qsub.
    return NotSubmitted() if result.code == NO_DIRECTORY else _read(result, scheduler, directory)


def rearm(remote: Remote, directory: str) -> None:
    """Allows a new submission after qsub has refused one. Raises RemoteError when none was refused."""
    remote.check(f"clearing the refused submission in {directory}", _REARM, directory)


def _read(result: Reply, scheduler: Scheduler, directory: str) -> Answer:
    before, mark, after = result.stdout.partition(MARK)
    told = re.match(r" (none|pending|[0-9]+)\n?", after) if mark else None
    if result.code == NO_DIRECTORY or not told:
        raise RemoteError(f"submission in {directory}", result.code, result.stderr or before or result.stdout)
    if told[1] == "none":
        return NotSubmitted()
    if told[1] == "pending":
        return Pending()
    return scheduler.submitted(Reply(int(told[1]), after[told.end() :], result.stderr))
