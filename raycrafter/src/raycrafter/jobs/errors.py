"""What the rules refuse."""

from __future__ import annotations


class RefusedError(Exception):
    """A call that is refused; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)
