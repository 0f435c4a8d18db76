"""The tables of the pages: columns and rows as data, drawn by web/table.html."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from raycrafter.jobs.models import Batch, BlockedNode, Event, Frame, Job, Transfer, Workspace
from raycrafter.jobs.retention import Planned

# How a cell is drawn: the class of its <td>, and for some a tag of its own.
TEXT, NUMBER, STATE, LEVEL = "text", "number", "state", "level"
TIME, BYTES, REASON, JOB = "time", "bytes", "reason", "job"


@dataclass(frozen=True)
class Table:
    """Pairs of heading and kind (``columns``), and rows; the first cell names a row."""

    name: str
    title: str
    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    empty: str = "None yet."
    more: str = ""

    @property
    def cells(self) -> list[list[tuple[str, str, Any]]]:
        """The rows, each cell with its heading and kind."""
        return [[(*column, value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]


def batches(rows: Iterable[Batch], total: int) -> Table:
    """Return the batches, newest first; ``total`` is how many there are."""
    rows = list(rows)
    return Table(
        "batches",
        "Batches",
        [
            ("Batch", NUMBER),
            ("Name", TEXT),
            ("Id", TEXT),
            ("State", STATE),
            ("Host", TEXT),
            ("Started", TIME),
            ("Finished", TIME),
            ("Exit", NUMBER),
            ("Reason", REASON),
        ],
        [
            [b.pk, b.name, b.native_id, b.state, b.client_host, b.started, b.finished, b.exit_status, b.state_reason]
            for b in rows
        ],
        more=f"The latest {len(rows)} of {total}." if total > len(rows) else "",
    )


def transfers(rows: Iterable[Transfer]) -> Table:
    """Return the transfers, newest first."""
    return Table(
        "transfers",
        "Transfers",
        [
            ("Transfer", NUMBER),
            ("Direction", TEXT),
            ("State", STATE),
            ("Done", BYTES),
            ("Of", BYTES),
            ("Tries", NUMBER),
            ("Reason", REASON),
        ],
        [[t.pk, t.kind, t.state, t.bytes_done, t.bytes_total, t.tries, t.state_reason] for t in rows],
    )


def events(rows: Iterable[Event]) -> Table:
    """Return the latest events of a job, newest first."""
    return Table(
        "events",
        "Latest events",
        [("Time", TIME), ("Level", LEVEL), ("Kind", TEXT), ("Message", REASON)],
        [[e.time, e.get_level_display(), e.kind, e.message] for e in rows],
    )


def errors(rows: Iterable[Frame]) -> Table:
    """Return the errors of frames that failed at least once."""
    return Table(
        "errors",
        "Frames with errors",
        [("Frame", NUMBER), ("State", STATE), ("Failures", NUMBER), ("Batch", TEXT), ("Error", REASON)],
        [[f.number, f.state, f.tries, f.batch_id, f.error] for f in rows],
    )


def workspaces(rows: Iterable[Workspace]) -> Table:
    """Return the directories lent by the cluster."""
    return Table(
        "workspaces",
        "Workspaces",
        [
            ("Workspace", TEXT),
            ("Job", JOB),
            ("State", STATE),
            ("Until", TIME),
            ("Extensions left", NUMBER),
            ("Path", REASON),
            ("Reason", REASON),
        ],
        [[w.name, w.job, w.state, w.expires, w.extensions_left, w.path, w.state_reason] for w in rows],
        empty="No job has one at present.",
    )


def held_up(rows: Iterable[Job]) -> Table:
    """Return the jobs that are held."""
    return Table(
        "held-up",
        "Held up",
        [("Job", JOB), ("State", STATE), ("Reason", REASON)],
        [[job, job.state, job.state_reason] for job in rows],
        empty="No job waits for the cluster or the network.",
    )


def blocked_nodes(rows: Iterable[BlockedNode]) -> Table:
    """Return the compute nodes that get no frames for a while."""
    return Table(
        "blocked",
        "Blocked compute nodes",
        [("Node", TEXT), ("Until", TIME), ("Reason", REASON)],
        [[node.host, node.until, node.reason] for node in rows],
        empty="None.",
    )


def retention(rows: list[Planned], shown: int) -> Table:
    """Return what is deleted by age, soonest first."""
    return Table(
        "retention",
        "Deleted soon",
        [("When", TIME), ("What", TEXT), ("Job", JOB), ("Owner", TEXT), ("Size", BYTES)],
        [[item.when, item.what, item.job, item.job.owner.get_username(), item.size] for item in rows[:shown]],
        empty="Nothing.",
        more=f"The first {shown} of {len(rows)}." if len(rows) > shown else "",
    )
