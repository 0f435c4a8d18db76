"""Load recorded answers of three releases, and provide a manual clock."""

from __future__ import annotations

import json
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = ["3.3.11", "6.3.7", "7.0.1"]
GELF = "org.graylog2.inputs.gelf.tcp.GELFTCPInput"


class Recording:
    """A session with a real Graylog: valid and invalid requests with answers."""

    def __init__(self, release: str) -> None:
        self.release = release
        lines = (FIXTURES / f"graylog-{release}.jsonl").read_text(encoding="utf-8").splitlines()
        self.entries = [json.loads(line) for line in lines]

    def entry(self, note: str = "", path: str = "") -> dict:
        return next(
            entry for entry in self.entries if (not note or entry["note"] == note) and entry["path"].endswith(path)
        )

    def schema(self, input_type: str = GELF) -> dict:
        return self.entry(path=f"/system/inputs/types/{input_type}")["answer"]["requested_configuration"]


class Clock:
    """A clock that advances only by sleep."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
