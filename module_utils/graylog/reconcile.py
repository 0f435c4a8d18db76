"""Create, update and delete Graylog resources idempotently."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class DesiredStateError(ValueError):
    """The desired state is invalid or cannot be reached.

    The text names the resource, the reason and the fix.
    """


@dataclass
class Outcome:
    """Record the actions that were taken, or that check mode would take.

    item: the server's, None for an absent resource.
    """

    actions: list[str] = field(default_factory=list)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    item: dict | None = None
    warnings: list[str] = field(default_factory=list)


class Resource(ABC):
    """Represent one Graylog object and its desired state.

    `current` and `desired` return dictionaries of the same form: the managed settings only, titles instead of ids,
    secrets as HIDDEN. `reconcile` compares the two, and a diff shows them.
    """

    kind: str
    name: str

    @abstractmethod
    def find(self) -> dict | None:
        """Return the server's item, or None.

        Raises DesiredStateError if the name is not unique.
        """

    @abstractmethod
    def current(self, item: dict) -> dict:
        """Return the managed settings in force."""

    @abstractmethod
    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        A setting that was not given keeps the item's value. Raises DesiredStateError if the item cannot reach them.
        """

    @abstractmethod
    def create(self) -> None:
        """Create the object."""

    @abstractmethod
    def update(self, item: dict) -> None:
        """Write the desired settings to the server's item."""

    @abstractmethod
    def delete(self, item: dict) -> None:
        """Delete the object."""

    def changes(self, item: dict | None, before: dict, after: dict) -> list[str]:
        """Return the names of the actions that lead from `before` to `after`."""
        if item is None:
            return ["created"]
        return ["updated"] if before != after else []

    def verify(self, item: dict, after: dict) -> None:
        """Compare the item that was read back.

        Raises DesiredStateError if Graylog stored other settings.
        """
        current = self.current(item)
        different = [
            f"{key} is {current.get(key)!r} instead of {after[key]!r}"
            for key in after
            if current.get(key) != after[key]
        ]
        if different:
            raise DesiredStateError(
                f"Graylog accepted the {self.kind} {self.name!r} but stored other settings: {'; '.join(different)}"
            )

    def probe(self, item: dict) -> list[str]:
        """Return warnings about the object at work; called in every run except check mode."""
        return []


def reconcile(resource: Resource, present: bool, check: bool) -> Outcome:
    """Bring a resource to its desired state; with `check`, write nothing.

    Raises DesiredStateError if the state cannot be reached, or if Graylog stored other settings than were written.
    """
    item = resource.find()
    before = resource.current(item) if item else {}
    if not present:
        if item and not check:
            resource.delete(item)
        return Outcome(["deleted"] if item else [], before, {}, None if item and not check else item)
    after = resource.desired(item)
    actions = resource.changes(item, before, after)
    if check:
        return Outcome(actions, before, after, item)
    if actions:
        resource.create() if item is None else resource.update(item)
        item = resource.find()
        if item is None:
            raise DesiredStateError(
                f"Graylog accepted the {resource.kind} {resource.name!r} but does not list it afterwards"
            )
        resource.verify(item, after)
    return Outcome(actions, before, after, item, resource.probe(item))


def only(kind: str, name: str, found: list[dict]) -> dict | None:
    """Return the single item found, or None.

    Raises DesiredStateError if several items share the name.
    """
    if len(found) > 1:
        ids = ", ".join(str(item.get("id")) for item in found)
        raise DesiredStateError(
            f"{len(found)} objects of the kind {kind} have the name {name!r} ({ids}): delete all but one"
        )
    return found[0] if found else None


def part(desired: object, current: object) -> object:
    """Return the current values of the keys set in `desired`.

    Only dictionaries are reduced; lists of equal length are compared item by item. Graylog treats None and "" alike,
    so `desired` decides which of the two is returned.
    """
    if isinstance(desired, dict) and isinstance(current, dict):
        return {key: part(value, current.get(key)) for key, value in desired.items()}
    if isinstance(desired, list) and isinstance(current, list) and len(desired) == len(current):
        return [part(*pair) for pair in zip(desired, current, strict=True)]
    if desired in (None, "") and current in (None, ""):
        return desired
    return current
