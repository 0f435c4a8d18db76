"""Parse and check the server's response to a claim before a frame runs."""

import os
from typing import Any, Dict, List, NamedTuple

from .files import ExpectedFile


class ClaimError(ValueError):
    """The response does not follow the claim format."""


class FrameTask(NamedTuple):
    """One frame to render. ``resume``: the command continues an interrupted attempt."""

    number: int
    attempt: int
    command: List[str]
    directory: str
    files: List[ExpectedFile]
    resume: bool


class Claim(NamedTuple):
    """Claimed frames; ``stop_at`` is in seconds since 1970 on the server's clock."""

    renderer: str
    frames: List[FrameTask]
    stop_at: float


def parse(data: Dict[str, Any]) -> Claim:
    """Return the claim in a response's JSON object.

    Raises ClaimError that names the problem.
    """
    try:
        return Claim(str(data["renderer"]), [_frame(frame) for frame in data["frames"]], float(data["stop_at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ClaimError("the server's response to the claim is invalid: {!r}".format(error)) from error


def _frame(data: Dict[str, Any]) -> FrameTask:
    command = data["command"]
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        raise ClaimError("command must be a list of strings")
    task = FrameTask(
        number=int(data["number"]),
        attempt=int(data["attempt"]),
        command=command,
        directory=str(data["directory"]),
        files=[ExpectedFile(str(file["work"]), str(file["final"])) for file in data["files"]],
        resume=bool(data.get("resume")),
    )
    if not task.files:
        raise ClaimError("a frame must have at least one expected file")
    for path in [task.directory, *(path for file in task.files for path in file)]:
        if not os.path.isabs(path):
            raise ClaimError("{} must be an absolute path".format(path))
    return task
