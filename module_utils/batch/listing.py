"""Jobs in a listing, found by id or name, and the lines that no reader understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from .reply import AnswerError, Seen, number, same_user


class Listing(dict):
    """Jobs of a listing by number, and its unreadable lines.

    A job's name may have any characters, so it can break a line."""

    def __init__(self, jobs: Iterable[Seen], unreadable: Sequence[str] = ()) -> None:
        super().__init__((job.number, job) for job in jobs)
        self.unreadable = unreadable

    def find(self, native_id: str, name: str) -> Seen | None:
        """Return the job with this id and name.

        The name is compared because a reinstalled scheduler repeats numbers. Raises AnswerError when the job is not
        listed and an unreadable line mentions it."""
        wanted = number(native_id)
        seen = self.get(wanted)
        if seen and seen.name == name:
            return seen
        self._refuse(lambda line: name in _words(line) or re.match(rf"\s*{wanted}\b", line))
        return None

    def named(self, name: str, user: str | None = None) -> list[Seen]:
        """Return the jobs of this name, of one user or of all.

        Raises AnswerError when an unreadable line may be one of them."""
        self._refuse(lambda line: any(word == name or (user and same_user(word, user)) for word in _words(line)))
        return [seen for seen in self.values() if seen.name == name and (not user or same_user(seen.user, user))]

    def _refuse(self, mentions: Callable[[str], object]) -> None:
        for line in self.unreadable:
            if mentions(line):
                raise AnswerError(f"a line of the listing that may be the job's cannot be read: {line.strip()[:120]!r}")


def _words(line: str) -> list[str]:
    return re.split(r"[\s|]+", line)
