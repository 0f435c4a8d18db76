"""What the server hands out, checked before anything is run."""

import os
from typing import Any, Dict, List, NamedTuple

from .files import ExpectedFile


class ClaimError(ValueError):
    """The server's answer is not what the two agreed on."""


class FrameTask(NamedTuple):
    """One frame to render. ``resume``: the command goes on where an interrupted attempt ended."""

    number: int
    attempt: int
    command: List[str]
    directory: str
    files: List[ExpectedFile]
    resume: bool


class Claim(NamedTuple):
    """The frames of one answer; ``stop_at`` is the server's clock, seconds since 1970."""

    renderer: str
    frames: List[FrameTask]
    stop_at: float


def parse(data: Dict[str, Any]) -> Claim:
    """Check an answer. Raises ClaimError naming what is wrong."""
    try:
        return Claim(str(data["renderer"]), [_frame(frame) for frame in data["frames"]], float(data["stop_at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ClaimError("the claim's answer cannot be used: {!r}".format(error)) from error


def _frame(data: Dict[str, Any]) -> FrameTask:
    command = data["command"]
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        raise ClaimError("command must be a list of texts")
    task = FrameTask(
        number=int(data["number"]),
        attempt=int(data["attempt"]),
        command=command,
        directory=str(data["directory"]),
        files=[ExpectedFile(str(file["work"]), str(file["final"])) for file in data["files"]],
        resume=bool(data.get("resume")),
    )
    if not task.files:
        raise ClaimError("a frame without expected files cannot be judged")
    for path in [task.directory, *(path for file in task.files for path in file)]:
        if not os.path.isabs(path):
            raise ClaimError("{} is not absolute".format(path))
    return task
