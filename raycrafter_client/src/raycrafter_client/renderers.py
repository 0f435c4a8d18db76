"""Which parsers read what a renderer prints: an entry for each that the server's work can name."""

from typing import Callable, Dict, NamedTuple

from .blender import BlenderParser
from .parsing import LineParser, PlainParser
from .povray import PovrayParser


class Parsers(NamedTuple):
    """One for each of the process's outputs."""

    stdout: LineParser
    stderr: LineParser

    @property
    def percent(self) -> float:
        """How far the frame is."""
        return max(parser.percent for parser in self)

    @property
    def error(self) -> str:
        """The best explanation of a failure, or nothing."""
        return max(self, key=lambda parser: parser.error_rank).error


PARSERS: Dict[str, Callable[[], Parsers]] = {
    "blender": lambda: Parsers(BlenderParser(), BlenderParser()),
    "povray": lambda: Parsers(PlainParser(), PovrayParser()),
}


def parsers_of(renderer: str) -> Parsers:
    """Return new ones. A renderer without an entry is run all the same; its lines are logged as they are."""
    return PARSERS.get(renderer, lambda: Parsers(PlainParser(), PlainParser()))()
