"""Parse a renderer's output into events: base classes of the renderers' parsers."""

import codecs
import logging
import re
from typing import Any, Dict, List, NamedTuple, Optional

# Characters. Bounds the memory for a renderer that prints no line ends.
MAX_LINE = 4000


class Event(NamedTuple):
    """One event in a renderer's output. ``level`` is a level of the logging module."""

    kind: str
    level: int
    message: str
    data: Dict[str, Any]


class LineSplitter:
    """Split chunks of bytes into lines.

    A carriage return ends a line too: renderers print their progress with it.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> List[str]:
        """Return the lines that ``chunk`` completes, without their line ends."""
        return self._split(self._decoder.decode(chunk))

    def close(self) -> List[str]:
        """Return the rest, which has no line end."""
        lines = self._split(self._decoder.decode(b"", True))
        rest, self._rest = self._rest, ""
        return [*lines, rest] if rest else lines

    def _split(self, text: str) -> List[str]:
        lines = re.split("[\r\n]", self._rest + text)
        rest = lines.pop()
        while len(rest) > MAX_LINE:
            lines.append(rest[:MAX_LINE])
            rest = rest[MAX_LINE:]
        self._rest = rest
        return [line[:MAX_LINE] for line in lines]


class LineParser:
    """Convert the bytes of one output to events, without I/O.

    Subclasses implement ``event``. ``percent`` of the current frame never falls. ``error`` is the best explanation of a
    failure so far.
    """

    def __init__(self) -> None:
        self.percent = 0.0
        self.error = ""
        self.error_rank = 0
        self._splitter = LineSplitter()

    def feed(self, chunk: bytes) -> List[Event]:
        """Return the events of the next chunk."""
        return self._events(self._splitter.feed(chunk))

    def close(self) -> List[Event]:
        """Return the events of the rest."""
        return self._events(self._splitter.close())

    def event(self, line: str) -> Optional[Event]:
        """Return the event of a line that is not blank, or None to skip the line."""
        raise NotImplementedError

    def explain(self, rank: int, text: str) -> None:
        """Set ``error`` to the first text of the highest rank."""
        if rank > self.error_rank:
            self.error_rank, self.error = rank, text

    def progress(self, percent: float, data: Dict[str, Any]) -> Optional[Event]:
        """Set ``percent``; return an event if it has reached another whole percent."""
        before, self.percent = self.percent, max(self.percent, min(100.0, percent))
        if int(self.percent) <= int(before):
            return None
        return Event("progress", logging.INFO, "{:.0f} %".format(self.percent), dict(data, percent=self.percent))

    def _events(self, lines: List[str]) -> List[Event]:
        found = (self.event(line.rstrip()) for line in lines if line.strip())
        return [event for event in found if event is not None]


class PlainParser(LineParser):
    """Convert every line to an event of its own, for outputs without a parser."""

    def event(self, line: str) -> Event:
        """Return the line as an event."""
        return Event("line", logging.INFO, line, {})
