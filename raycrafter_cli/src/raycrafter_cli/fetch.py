"""Download frames in parallel, check them, and rename only complete files."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import httpx

from .api import Api, UnavailableError
from .common import sha256
from .errors import CliError
from .text import clean

TRIES = 3
# Consecutive failures that end the command: the disk is full, the server is down, or the token has expired.
MAX_FAILURES = 8


@dataclass(frozen=True)
class Outcome:
    """Result of one frame; ``how`` is fetched, kept or failed."""

    number: int
    name: str
    how: str
    error: str = ""


def safe_name(name: str) -> str:
    """Return ``name`` if it is the name of a plain file. Raises CliError."""
    if not name or name != clean(name) or name.startswith(".") or any(char in name for char in "/\\\n"):
        raise CliError(f"the server's file name {clean(name)!r} is unsafe: the file is not written")
    return name


def fetch_all(
    api: Api,
    job: int,
    frames: Iterable[dict[str, Any]],
    directory: Path,
    parallel: int,
    done: Callable[[], None],
) -> list[Outcome]:
    """Download the files of ``frames`` into ``directory``.

    ``frames`` are rows of the API with a file; ``done`` is called after each frame. Return the outcomes, without the
    frames that were skipped after MAX_FAILURES consecutive failures.
    """
    stop = threading.Event()
    pending: SimpleQueue[dict[str, Any]] = SimpleQueue()
    for frame in frames:
        pending.put(frame)
    ended: SimpleQueue[Outcome | Exception] = SimpleQueue()
    count = pending.qsize()

    def work() -> None:
        try:
            while not stop.is_set():
                ended.put(_fetch(api, job, pending.get_nowait(), directory, stop))
        except Empty:
            pass
        except Exception as error:
            ended.put(error)

    # Daemon threads: at its end Python waits for a ThreadPoolExecutor, whose threads may wait for the server.
    for _ in range(parallel):
        threading.Thread(target=work, daemon=True).start()
    outcomes: list[Outcome] = []
    failures = 0
    try:
        while len(outcomes) < count and failures < MAX_FAILURES:
            outcome = ended.get()
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
            failures = failures + 1 if outcome.how == "failed" else 0
            done()
    finally:
        stop.set()
    return sorted(outcomes, key=lambda outcome: outcome.number)


def _fetch(api: Api, job: int, frame: dict[str, Any], directory: Path, stop: threading.Event) -> Outcome:
    number, info = frame["number"], frame["file"]
    name = clean(info["name"])
    try:
        target = directory / safe_name(info["name"])
        if _is_complete(target, info):
            return Outcome(number, name, "kept")
        for left in range(TRIES - 1, -1, -1):
            try:
                _download(api, job, number, info, target, stop)
                break
            except UnavailableError:
                if not left or stop.wait(2.0 ** (TRIES - 1 - left)):
                    raise
    except (CliError, OSError) as error:
        return Outcome(number, name, "failed", error.message if isinstance(error, CliError) else str(error))
    return Outcome(number, name, "fetched")


def _is_complete(target: Path, info: dict[str, Any]) -> bool:
    if not target.is_file() or target.stat().st_size != info["size"]:
        return False
    with target.open("rb") as file:
        return sha256(file).hexdigest() == info["sha256"]


def _download(api: Api, job: int, number: int, info: dict[str, Any], target: Path, stop: threading.Event) -> None:
    """Write or continue a .part file and rename it when size and checksum are correct."""
    part = target.with_name(f"{target.name}.part")
    with part.open("ab+") as file:
        file.seek(0)
        digest = sha256(file)
        offset = file.tell()
        if offset < info["size"]:
            with api.file(job, number, offset) as response:
                if offset and response.status_code != httpx.codes.PARTIAL_CONTENT:
                    # The server ignores the offset and sends the whole file.
                    file.truncate(0)
                    digest = hashlib.sha256()
                # Without a block size, httpx buffers nothing that a broken connection would lose.
                for block in response.iter_bytes():
                    file.write(block)
                    digest.update(block)
                    if stop.is_set():
                        raise CliError("interrupted")
        size = file.seek(0, os.SEEK_END)
    if (size, digest.hexdigest()) != (info["size"], info["sha256"]):
        part.unlink()
        raise UnavailableError(f"{size} of {info['size']} bytes received, or a wrong checksum: fetch the frame again")
    part.replace(target)
