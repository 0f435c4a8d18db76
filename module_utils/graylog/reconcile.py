"""How a thing of Graylog's comes to be as wished: find, compare, write, look again.

For everything but inputs, which have a state of their own (graylog_reconcile.py). No import of Ansible.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class WishError(ValueError):
    """A wish that cannot be fulfilled; its text names the thing, the reason and the mend."""


@dataclass
class Outcome:
    """What was done, or in check mode would be done; `item` is the server's, None where there is none."""

    actions: list[str] = field(default_factory=list)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    item: dict | None = None


class Resource(ABC):
    """One kind of thing, and the wish for one of them.

    `picture` and `wished` have the same form: the managed settings only, in the words of a person (titles instead of
    ids), secrets as HIDDEN. They are what is compared and what a diff shows.
    """

    kind: str
    name: str

    @abstractmethod
    def find(self) -> dict | None:
        """Return the server's item, None where there is none. Raises WishError where the name is not unique."""

    @abstractmethod
    def picture(self, item: dict) -> dict:
        """Return the managed settings in force."""

    @abstractmethod
    def wished(self, item: dict | None) -> dict:
        """Return the managed settings as they shall be; what the wish leaves open is as in the server's item.

        Raises WishError where the item cannot become so.
        """

    @abstractmethod
    def create(self) -> None:
        """Make it."""

    @abstractmethod
    def update(self, item: dict) -> None:
        """Change the server's item to the wish."""

    @abstractmethod
    def delete(self, item: dict) -> None:
        """Take it away."""


def reconcile(resource: Resource, present: bool, check: bool) -> Outcome:
    """Bring a thing to its wished state; with `check` nothing is written.

    After a write the server is asked again. Raises WishError where it took the write and holds something else.
    """
    item = resource.find()
    before = resource.picture(item) if item else {}
    if not present:
        if item and not check:
            resource.delete(item)
        return Outcome(["deleted"] if item else [], before, {}, None if item and not check else item)
    after = resource.wished(item)
    actions = ["created"] if item is None else ["updated"] if before != after else []
    if actions and not check:
        resource.create() if item is None else resource.update(item)
        item = resource.find()
        _compare(resource, item, after)
    return Outcome(actions, before, after, item)


def _compare(resource: Resource, item: dict | None, after: dict) -> None:
    if item is None:
        raise WishError(f"The {resource.kind} {resource.name!r} was written, but Graylog does not have it")
    held = resource.picture(item)
    kept = [f"{key} is {held.get(key)!r} instead of {after[key]!r}" for key in after if held.get(key) != after[key]]
    if kept:
        raise WishError(
            f"The {resource.kind} {resource.name!r} was written, but Graylog holds something else: {'; '.join(kept)}"
        )


def only(kind: str, name: str, found: list[dict]) -> dict | None:
    """Return the one item found, None of none. Raises WishError where there are several of the name."""
    if len(found) > 1:
        ids = ", ".join(str(item.get("id")) for item in found)
        raise WishError(f"{len(found)} things of the kind {kind} are called {name!r} ({ids}): delete all but one")
    return found[0] if found else None


def part(wished: object, held: object) -> object:
    """Return of what the server holds what the wish speaks of: in dictionaries the wished keys, everything else whole.

    Lists of one length are compared item by item. None and "" are the same to Graylog, so either is given as the wish
    has it.
    """
    if isinstance(wished, dict) and isinstance(held, dict):
        return {key: part(value, held.get(key)) for key, value in wished.items()}
    if isinstance(wished, list) and isinstance(held, list) and len(wished) == len(held):
        return [part(*pair) for pair in zip(wished, held, strict=True)]
    if wished in (None, "") and held in (None, ""):
        return wished
    return held
