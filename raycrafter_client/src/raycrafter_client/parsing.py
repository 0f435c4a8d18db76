"""What renderers print, as events. One parser per renderer; this module has what they share."""

import codecs
import logging
import re
from typing import Any, Dict, List, NamedTuple, Optional

# Characters of one line; a renderer that prints no line ends must not fill the memory.
MAX_LINE = 4000


class Event(NamedTuple):
    """One thing a renderer said. ``level`` is a logging level."""

    kind: str
    level: int
    message: str
    data: Dict[str, Any]


class LineSplitter:
    """Bytes to lines, however the chunks fall. A carriage return ends a line too: progress is printed with it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> List[str]:
        """Return the lines that ``chunk`` completes, without their ends."""
        return self._split(self._decoder.decode(chunk))

    def close(self) -> List[str]:
        """Return what is left."""
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
    """Bytes of one output in, events out; nothing is read or written. A renderer's parser says what each line means.

    ``percent`` of the present frame never falls; ``error`` is the best explanation of a failure so far.
    """

    def __init__(self) -> None:
        self.percent = 0.0
        self.error = ""
        self.error_rank = 0
        self._splitter = LineSplitter()

    def feed(self, chunk: bytes) -> List[Event]:
        """Return the events of the next bytes."""
        return self._events(self._splitter.feed(chunk))

    def close(self) -> List[Event]:
        """Return the events of what is left."""
        return self._events(self._splitter.close())

    def event(self, line: str) -> Optional[Event]:
        """Return the event of one line that is not blank, or None when it is not worth keeping."""
        raise NotImplementedError

    def explain(self, rank: int, text: str) -> None:
        """Keep the first text of the highest rank as the error."""
        if rank > self.error_rank:
            self.error_rank, self.error = rank, text

    def progress(self, percent: float, data: Dict[str, Any]) -> Optional[Event]:
        """Note how far the frame is; return an event when it is a whole percent further than before."""
        before, self.percent = self.percent, max(self.percent, min(100.0, percent))
        if int(self.percent) <= int(before):
            return None
        return Event("progress", logging.INFO, "{:.0f} %".format(self.percent), dict(data, percent=self.percent))

    def _events(self, lines: List[str]) -> List[Event]:
        found = (self.event(line.rstrip()) for line in lines if line.strip())
        return [event for event in found if event is not None]


class PlainParser(LineParser):
    """Every line as it is: for streams whose language nobody has learned yet."""

    def event(self, line: str) -> Event:
        """Return the line."""
        return Event("line", logging.INFO, line, {})
