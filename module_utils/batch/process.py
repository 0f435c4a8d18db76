"""Run local programs under limits of time and output.

They get no terminal, no inherited input, and a process group of their own.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

from .reply import Reply

OUTPUT_LIMIT = 5 * 1024 * 1024  # bytes of stdout and stderr together
READ = 65536  # bytes


class LimitError(Exception):
    """The program exceeded its limit of time or output and was killed."""


def run(
    words: Sequence[str],
    *,
    data: bytes | None = None,
    timeout: float,
    directory: str | None = None,
    env: Mapping[str, str] | None = None,
    limit: int = OUTPUT_LIMIT,
    tick: Callable[[], None] = lambda: None,
    every: float = math.inf,
) -> Reply:
    """Run a program to its end, in ``directory`` or in the caller's.

    ``timeout`` in seconds, ``limit`` in bytes of output, which is decoded as UTF-8 with replacement characters.
    ``tick`` is called every ``every`` seconds.

    Raises LimitError after killing the program's whole process group, OSError when it cannot be started.
    """
    with tempfile.TemporaryFile() as source:
        if data is not None:
            source.write(data)
            source.seek(0)
        child = subprocess.Popen(
            words,
            stdin=source if data is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    with child:
        try:
            stdout, stderr = _drain(child, timeout, limit, tick, every)
        except LimitError as error:
            raise LimitError(f"{words[0]}: {error}") from None
        finally:
            # Includes a grandchild that is still running and has the pipes open.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        return Reply(child.wait(), stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def _drain(
    child: subprocess.Popen[bytes], timeout: float, limit: int, tick: Callable[[], None], every: float
) -> tuple[bytes, bytes]:
    """Read both outputs until they close and the program has ended."""
    deadline, next_tick = time.monotonic() + timeout, time.monotonic() + every
    outputs = {child.stdout: bytearray(), child.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe in outputs:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, min(deadline, next_tick) - time.monotonic()))
            if time.monotonic() >= next_tick:
                tick()
                next_tick = time.monotonic() + every
            if not ready and time.monotonic() >= deadline:
                raise LimitError(f"took longer than {timeout:g} s and was killed")
            for key, _ in ready:
                if chunk := os.read(key.fd, READ):
                    outputs[key.fileobj] += chunk
                else:
                    selector.unregister(key.fileobj)
            if sum(map(len, outputs.values())) > limit:
                raise LimitError(f"wrote more than {limit} bytes and was killed")
    try:
        child.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise LimitError("closed its outputs, did not end and was killed") from None
    return bytes(outputs[child.stdout]), bytes(outputs[child.stderr])
