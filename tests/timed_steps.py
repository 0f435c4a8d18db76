"""Run a command with a time limit and a log, and time molecule's steps.

Usage: python3 tests/timed_steps.py LIMIT LOG STEPS COMMAND...
LIMIT is in seconds. The file STEPS gets a line "SECONDS STEP" for each step, in order. The exit code is the command's,
or 124 at the limit.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

STEP = re.compile(rb"INFO +\[\S+ > (\w+)\] Executing$")
GRACE = 30  # seconds between TERM and KILL at the limit
REST = 5  # seconds to read the rest of the pipe, which ssh's shared connections may hold open


class Steps:
    """Copy output to a log and record the start of molecule's steps."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []

    def copy(self, source: int, log: Path) -> None:
        """Copy lines from a descriptor to ``log`` until the end of file."""
        with os.fdopen(source, "rb") as lines, log.open("wb", buffering=0) as file:
            for line in lines:
                if match := STEP.match(line):
                    self.began.append((match[1].decode(), time.monotonic()))
                file.write(line)

    def table(self) -> str:
        """Return a line "SECONDS STEP" for each step, the last one until now."""
        ends = [start for _, start in self.began[1:]] + [time.monotonic()]
        return "".join(f"{end - start:.0f} {name}\n" for (name, start), end in zip(self.began, ends, strict=False))


def main(limit: float, log: Path, steps_file: Path, command: list[str]) -> int:
    """Run the command; return its exit code."""
    steps = Steps()
    read, write = os.pipe()
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.STDOUT, start_new_session=True
    )
    os.close(write)
    reader = threading.Thread(target=steps.copy, args=(read, log), daemon=True)
    reader.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = child.wait(limit)
    except subprocess.TimeoutExpired:
        code = 124
    finally:
        end(child)
    reader.join(REST)
    steps_file.write_text(steps.table())
    return code


def end(child: subprocess.Popen[bytes]) -> None:
    """End a running command with its child processes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
