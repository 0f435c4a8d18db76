"""Slurm's own commands, asked for columns of our choice: ``squeue``, and ``sacct`` for jobs that squeue forgot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from .attributes import job_of
from .listing import Listing
from .reply import AnswerError, Attributes, Phase, Reply, Seen, excerpt, number, short

# The name last: it may hold anything.
SQUEUE_FORMAT = "%i|%t|%M|%P|%u|%N|%r|%j"
# Without a reason, as it was recorded, the rest is read all the same.
_SQUEUE_HEADERS = tuple(f"JOBID|ST|TIME|PARTITION|USER|NODELIST|{reason}NAME" for reason in ("REASON|", ""))
SACCT_FORMAT = "JobIDRaw,State,ElapsedRaw,Partition,User,NodeList,ExitCode,JobName"
# An array that waits is one line, 6_[0-2], and so is each part of a heterogeneous job, 18+1.
_ID = re.compile(r"[0-9]+([_+]\S+)?")
# A user whom the controller cannot look up gets an empty listing and exit 0 (recorded: squeue -u nosuchuser).
_COMPLAINT = re.compile(r"^(?:squeue: error|slurm_\w+ error): .*", re.MULTILINE)


def squeue(text: str) -> list[Attributes]:
    """Read squeue in ``SQUEUE_FORMAT``. Raises AnswerError for a line that is no row."""
    _, rows, unreadable = _rows(text, _SQUEUE_HEADERS)
    if unreadable:
        raise AnswerError(f"a line of Slurm's listing cannot be read: {short(unreadable[0])}")
    return [_squeue_job(row) for row in rows]


def squeue_listing(reply: Reply, id_pattern: re.Pattern[str], states: Mapping[str, Phase]) -> Listing:
    """Read squeue's listing of one user; lines that are no row are kept aside, as names with a newline make them.

    A job that is listed twice is kept aside as well: one of its rows came out of a name. Raises AnswerError when the
    answer is not a whole listing."""
    if reply.code != 0:
        raise AnswerError(f"squeue ended with {reply.code}: {excerpt(reply)}")
    before, rows, unreadable = _rows(reply.stdout, _SQUEUE_HEADERS)
    if complaint := _COMPLAINT.search("\n".join([*before, reply.stderr])):
        raise AnswerError(f"squeue gave no whole listing: {complaint[0]}")
    times = Counter(row[0] for row in rows)
    unreadable += ["|".join(row) for row in rows if times[row[0]] > 1]
    jobs = [job_of(_squeue_job(row), id_pattern, states) for row in rows if times[row[0]] == 1]
    return Listing(
        (Seen(job.native_id, job.name, job.phase, job.user, job.native_id, job.state, job.reason) for job in jobs),
        unreadable,
    )


def sacct(text: str) -> list[Attributes]:
    """Read ``sacct -X -P`` in ``SACCT_FORMAT``: states are whole words, with more behind CANCELLED.

    An exit code of 0 counts for a COMPLETED job alone: one that its walltime ended has 0:0, too. A signal is told as
    shells do, by 128 and its number. Raises AnswerError for a line that is no row."""
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
    """The lines before one of the headers, the columns of every row after it, and the lines there that are no row.
    Raises AnswerError without a whole listing."""
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
    # squeue tells no exit code, but COMPLETED means 0.
    ended_with = "0" if state == "CD" else ""
    return _attributes(native_id, state, used, queue, user, hosts, ended_with, "".join(reason), name)


def _attributes(
    native_id: str, state: str, used: str, queue: str, user: str, hosts: str, ended_with: str, reason: str, name: str
) -> Attributes:
    found = {"job_name": name, "job_owner": user, "job_state": state, "queue": queue, "exec_host": hosts}
    reason = "" if reason == "None" else reason
    found.update({"resources_used.walltime": used, "exit_status": ended_with, "reason": reason})
    return Attributes(number(native_id), list(found.items()))
