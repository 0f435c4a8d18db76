"""Slurm's own commands, asked for columns of our choice: ``squeue``, and ``sacct`` for jobs that squeue forgot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .batch_reply import AnswerError, Attributes, number, short

# The name last: it may hold anything.
SQUEUE_FORMAT = "%i|%t|%M|%P|%u|%N|%j"
_SQUEUE_HEADER = "JOBID|ST|TIME|PARTITION|USER|NODELIST|NAME"
SACCT_FORMAT = "JobIDRaw,State,ElapsedRaw,Partition,User,NodeList,ExitCode,JobName"


def squeue(text: str) -> list[Attributes]:
    """squeue in ``SQUEUE_FORMAT``. It tells no exit code, but COMPLETED means 0."""
    jobs = []
    for native_id, *columns in _rows(text, _SQUEUE_HEADER):
        state, used, queue, user, hosts, name = columns
        jobs.append(_attributes(native_id, state, used, queue, user, hosts, "0" if state == "CD" else "", name))
    return jobs


def sacct(text: str) -> list[Attributes]:
    """``sacct -X -P`` in ``SACCT_FORMAT``: states are whole words, with more behind CANCELLED.

    An exit code of 0 counts for a COMPLETED job alone: one that its walltime ended has 0:0, too. A signal is told as
    shells do, by 128 and its number."""
    jobs = []
    for native_id, *columns in _rows(text, SACCT_FORMAT.replace(",", "|")):
        words, used, queue, user, hosts, ended_with, name = columns
        state = words.split(" ")[0]
        match = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", ended_with)
        if not match:
            raise AnswerError(f"{ended_with!r} of job {native_id} is no exit code of sacct")
        code = int(match[1]) or (128 + int(match[2]) if int(match[2]) else 0)
        known = str(code) if code or state == "COMPLETED" else ""
        hosts = "" if hosts == "None assigned" else hosts
        jobs.append(_attributes(native_id, state, used, queue, user, hosts, known, name))
    return jobs


def _rows(text: str, header: str) -> Iterator[list[str]]:
    """The columns of every line after the header; an error for anything that is no row."""
    lines = text.split("\n")
    if header not in lines or lines[-1]:
        raise AnswerError(f"no whole listing of Slurm's in the answer: {short(text)}")
    last = header.count("|")
    for line in lines[lines.index(header) + 1 : -1]:
        columns = line.split("|", last)
        # An array that waits is one line: 6_[0-2].
        if not re.fullmatch(r"[0-9]+([_+]\S+)?", columns[0]) or len(columns) != last + 1:
            raise AnswerError(f"a line of Slurm's listing cannot be read: {short(line)}")
        yield columns


def _attributes(
    native_id: str, state: str, used: str, queue: str, user: str, hosts: str, ended_with: str, name: str
) -> Attributes:
    found = {"job_name": name, "job_owner": user, "job_state": state, "queue": queue, "exec_host": hosts}
    found.update({"resources_used.walltime": used, "exit_status": ended_with})
    return Attributes(number(native_id), list(found.items()))
