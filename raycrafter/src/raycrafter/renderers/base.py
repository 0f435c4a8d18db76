"""What every renderer's adapter offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict

from raycrafter.jobs.models import Job


class OptionError(ValueError):
    """An option is wrong: ``field`` names it, ``reason`` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Files(TypedDict):
    """One file that a frame leaves: where the renderer writes it, and its name once it is whole."""

    work: str
    final: str


class Renderer(ABC):
    """An adapter holds no state: all it needs is in the job and the site's configuration."""

    name: ClassVar[str]

    @abstractmethod
    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their types made right. Raises OptionError naming the first that is wrong."""

    @abstractmethod
    def command(self, job: Job, number: int, workspace_path: str, batch_path: str) -> list[str]:
        """Program and arguments that render one frame; run without a shell in ``directory()``."""

    @abstractmethod
    def files(self, job: Job, number: int, workspace_path: str, batch_path: str) -> list[Files]:
        """The files that one frame must leave, as absolute paths on the cluster."""

    def directory(self, workspace_path: str) -> str:
        """Where the program runs: the unpacked scene."""
        return f"{workspace_path}/input"

    @abstractmethod
    def is_fatal(self, error: str) -> bool:
        """Whether a failure with this text from the renderer would come again, so that no retry makes sense."""
