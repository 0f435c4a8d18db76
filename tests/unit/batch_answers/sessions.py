"""Read a recorded session of a scheduler: each command with its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from module_utils.batch.reply import Reply

RECORDED = Path(__file__).parents[3] / "raycrafter/tests/cluster/recorded"


@dataclass(frozen=True)
class Recorded:
    """One command; ``line`` is its line in the file."""

    line: int
    command: str
    reply: Reply


def read(name: str) -> list[Recorded]:
    """Return the commands of a session, without those whose exit code was not recorded."""
    lines = (RECORDED / name).read_text().split("\n")
    starts = [at for at, line in enumerate(lines) if re.match(r"(?:root)?\$ ", line)]
    commands = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        block = lines[start + 1 : end]
        ends = [match for line in block if (match := re.search(r"exit (\d+)$", line))]
        if not ends:
            continue
        streams = {mark: [line[5:] for line in block if line.startswith(f"{mark}| ")] for mark in ("out", "err")}
        out, err = ("".join(f"{line}\n" for line in streams[mark]) for mark in ("out", "err"))
        command = lines[start].partition("$ ")[2]
        commands.append(Recorded(start + 1, command, Reply(int(ends[0][1]), out, err)))
    return commands
