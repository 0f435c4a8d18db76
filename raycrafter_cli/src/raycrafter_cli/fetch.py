"""Brings frames: several at once, checked, and never a half file under a whole one's name."""

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
# So many failures in a row are no longer the frames': the disk is full, the server away, the token over.
PATIENCE = 8


@dataclass(frozen=True)
class Outcome:
    """What became of one frame: ``how`` is fetched, kept or failed."""

    number: int
    name: str
    how: str
    error: str = ""


def safe_name(name: str) -> str:
    """Return the name if it is that of a plain file in one directory. Raises CliError."""
    if not name or name != clean(name) or name.startswith(".") or any(char in name for char in "/\\\n"):
        raise CliError(f"the server names a file {clean(name)!r}: it is not written")
    return name


def fetch_all(
    api: Api,
    job: int,
    frames: Iterable[dict[str, Any]],
    directory: Path,
    parallel: int,
    done: Callable[[], None],
) -> list[Outcome]:
    """Fetch every frame that has a file; ``done`` hears when one more has ended.

    After PATIENCE failures in a row the rest is not tried, and not in what is returned.
    """
    stop = threading.Event()
    wanted: SimpleQueue[dict[str, Any]] = SimpleQueue()
    for frame in frames:
        wanted.put(frame)
    ended: SimpleQueue[Outcome | Exception] = SimpleQueue()
    count = wanted.qsize()

    def work() -> None:
        try:
            while not stop.is_set():
                ended.put(_fetch(api, job, wanted.get_nowait(), directory, stop))
        except Empty:
            pass
        except Exception as error:
            ended.put(error)

    # not a ThreadPoolExecutor: Python waits for its threads, and these may wait for a server that says nothing
    for _ in range(parallel):
        threading.Thread(target=work, daemon=True).start()
    outcomes: list[Outcome] = []
    failures = 0
    try:
        while len(outcomes) < count and failures < PATIENCE:
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
        if _is_there(target, info):
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


def _is_there(target: Path, info: dict[str, Any]) -> bool:
    if not target.is_file() or target.stat().st_size != info["size"]:
        return False
    with target.open("rb") as file:
        return sha256(file).hexdigest() == info["sha256"]


def _download(api: Api, job: int, number: int, info: dict[str, Any], target: Path, stop: threading.Event) -> None:
    """Write to a .part file, or go on with one, and rename it once size and checksum are right."""
    part = target.with_name(f"{target.name}.part")
    with part.open("ab+") as file:
        file.seek(0)
        digest = sha256(file)
        have = file.tell()
        if have < info["size"]:
            with api.file(job, number, have) as response:
                if have and response.status_code != httpx.codes.PARTIAL_CONTENT:
                    # the server sends all of it
                    file.truncate(0)
                    digest = hashlib.sha256()
                # as they come: what httpx gathers for larger blocks is lost when the connection breaks
                for block in response.iter_bytes():
                    file.write(block)
                    digest.update(block)
                    if stop.is_set():
                        raise CliError("interrupted")
        size = file.seek(0, os.SEEK_END)
    if (size, digest.hexdigest()) != (info["size"], info["sha256"]):
        part.unlink()
        raise UnavailableError(f"{size} of {info['size']} bytes came, or not the right ones: nothing is kept")
    part.replace(target)
