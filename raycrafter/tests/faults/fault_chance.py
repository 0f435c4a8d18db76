"""What goes wrong, and when it is: all of it from one seed, so that a run can be had again."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

# Each fault and how often it may strike in one run. Without a bound, a run could lose every batch before its client
# says a word, and to give such a job up is right.
FAULTS = {
    "no connection": 40,
    "reply lost": 40,
    "worker killed": 12,
    "message lost": 40,
    "message twice": 40,
    "qsub busy": 10,
    "qsub in doubt": 4,
    "qsub prints a banner": 10,
    "qsub answers late": 3,
    "shell killed before qsub": 3,
    "shell killed after qsub": 3,
    "qstat fails": 15,
    "qstat is cut": 10,
    "qstat forgets a job": 12,
    "qstat is slow": 10,
    "qdel fails": 10,
    "job started twice": 3,
    "job killed before its client": 2,
    "job killed": 6,
    "client killed": 6,
    "client cut off": 6,
    "request lost": 60,
    "answer lost": 60,
    "request again": 30,
    "renderer fails": 6,
    "transfer breaks": 10,
    "file broken": 3,
    "storage away": 10,
    "qsub takes it twice": 10,
    "service away": 2,
}


class Chance:
    """Faults by their names, at rates that differ from run to run."""

    def __init__(self, seed: int, only: tuple[str, ...]) -> None:
        """``only`` are the faults that strike, and often; without any all do, some of them."""
        self.random = random.Random(seed)  # noqa: S311 -- to be had again is the point
        self.seen: Counter[str] = Counter()
        self.calm = False
        rates = {fault: self.random.choice((0.0, 0.0, 0.02, 0.05, 0.2)) for fault in FAULTS}
        self._rates = {fault: 0.5 if fault in only else 0.0 for fault in FAULTS} if only else rates

    def strikes(self, fault: str) -> bool:
        """Whether that fault happens here and now."""
        if self.calm or self.seen[fault] >= FAULTS[fault] or self.random.random() >= self._rates[fault]:
            return False
        self.seen[fault] += 1
        return True


class Clock:
    """Stands for the time of every host. It begins now, because some columns are filled by the real clock."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        """Stands for django.utils.timezone.now."""
        return self._start + timedelta(seconds=self.seconds)

    def time(self) -> float:
        """Stands for time.time."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Stands for time.monotonic."""
        return self.seconds
