"""Manage a Graylog cluster's message processors, allowed URLs and other settings."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from .client import GraylogClient, GraylogError
from .reconcile import DesiredStateError, Resource, part

PROCESSORS = "/system/messageprocessors/config"
CLASSES = "/system/cluster_config"


class Processors(Resource):
    """The message processors, which handle each message in turn.

    order: class names or titles in the desired order; processors not named keep their positions.
    disabled: the exact set of disabled processors. None leaves each list unchanged.
    """

    kind = "cluster configuration"
    name = "message processors"

    def __init__(self, client: GraylogClient, order: list[str] | None, disabled: list[str] | None) -> None:
        self._client = client
        self._order = order
        self._disabled = disabled

    def find(self) -> dict:
        """Return the configuration, which exists on every server."""
        return self._client.request("GET", PROCESSORS)

    def current(self, item: dict) -> dict:
        """Return the configuration with the titles of the processors."""
        titles = {each["class_name"]: each["name"] for each in item["processor_order"]}
        return {
            "order": [each["name"] for each in item["processor_order"]],
            "disabled": sorted(titles.get(name, name) for name in item["disabled_processors"]),
        }

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings. Raises DesiredStateError for an unknown processor."""
        desired = self.current(item)
        if self._order is not None:
            named = self._titles(item, self._order)
            following = iter(named)
            desired["order"] = [next(following) if title in named else title for title in desired["order"]]
        if self._disabled is not None:
            desired["disabled"] = sorted(self._titles(item, self._disabled))
        return desired

    @staticmethod
    def _titles(item: dict, names: list[str]) -> list[str]:
        known = item["processor_order"]
        titles = {each[key]: each["name"] for each in known for key in ("name", "class_name")}
        unknown = [name for name in names if name not in titles]
        if unknown:
            raise DesiredStateError(
                f"This Graylog has no message processors {', '.join(map(repr, unknown))}. It has: "
                + ", ".join(f"{each['name']} ({each['class_name']})" for each in known)
            )
        return list(dict.fromkeys(titles[name] for name in names))

    def create(self) -> None:
        """Do nothing: the configuration exists on every server."""

    def update(self, item: dict) -> None:
        """Replace the configuration: Graylog takes no partial update."""
        desired = self.desired(item)
        classes = {each["name"]: each["class_name"] for each in item["processor_order"]}
        body = {
            "processor_order": [{"name": title, "class_name": classes[title]} for title in desired["order"]],
            "disabled_processors": [classes.get(title, title) for title in desired["disabled"]],
        }
        self._client.request("PUT", PROCESSORS, body)

    def delete(self, item: dict) -> None:
        """Refuse: a server cannot be without message processors."""
        raise DesiredStateError("The message processors cannot be removed: add them to disabled instead")


class UrlList(Resource):
    """The list of URLs that Graylog may call, for example for notifications.

    entries: each with `type` (literal, regex), `value`, which identifies the entry, `title` and `id`. A title of None
    leaves the title unchanged, and a new entry gets its value as title. An id is used for a new entry only.
    disabled: whether all URLs are allowed; None leaves it unchanged. purge: whether other entries are removed.
    """

    kind = "cluster configuration"
    name = "list of allowed URLs"

    def __init__(self, client: GraylogClient, entries: list[dict] | None, disabled: bool | None, purge: bool) -> None:
        self._client = client
        self._entries = entries
        self._disabled = disabled
        self._purge = purge

    def find(self) -> dict:
        """Return the list, which exists on every server."""
        return self._client.request("GET", self._client.release.url_list)

    def current(self, item: dict) -> dict:
        """Return the list without the entries' ids."""
        entries = [{key: entry.get(key) or "" for key in ("value", "type", "title")} for entry in item["entries"]]
        return {"disabled": item["disabled"], "entries": _sorted(entries)}

    def desired(self, item: dict | None) -> dict:
        """Return the desired list."""
        return self.current(self._body(item))

    def _body(self, item: dict) -> dict:
        current = {entry["value"]: entry for entry in reversed(item["entries"])}
        desired = {entry["value"]: entry for entry in self._entries or []}
        purge = self._purge and self._entries is not None
        kept = [_entry(entry) for entry in item["entries"] if entry["value"] not in desired and not purge]
        named = [self._merged(current.get(value), entry) for value, entry in desired.items()]
        disabled = item["disabled"] if self._disabled is None else self._disabled
        return {"disabled": disabled, "entries": kept + named}

    @staticmethod
    def _merged(current: dict | None, desired: dict) -> dict:
        old = current or {"id": desired.get("id") or str(uuid.uuid4()), "title": desired["value"]}
        title = desired["title"] if desired.get("title") is not None else old["title"]
        return _entry({**old, "type": desired["type"], "value": desired["value"], "title": title})

    def create(self) -> None:
        """Do nothing: the list exists on every server."""

    def update(self, item: dict) -> None:
        """Replace the list: Graylog takes no partial update."""
        self._client.request("PUT", self._client.release.url_list, self._body(item))

    def delete(self, item: dict) -> None:
        """Refuse: a server cannot be without the list."""
        raise DesiredStateError(
            "The list of allowed URLs cannot be removed: set entries to an empty list, and purge to true"
        )


def _entry(entry: dict) -> dict:
    return {key: entry.get(key) for key in ("id", "type", "title", "value")}


def _sorted(entries: list[dict]) -> list[dict]:
    return sorted(entries, key=lambda entry: entry["value"])


class ConfigClass(Resource):
    """The settings of one Java class; only the given keys are managed, at any depth."""

    kind = "cluster configuration"

    def __init__(self, client: GraylogClient, class_name: str, settings: dict) -> None:
        self.name = class_name
        self._client = client
        self._settings = settings
        self._path = f"{CLASSES}/{quote(class_name, safe='')}"

    def find(self) -> dict | None:
        """Return the stored settings, or None.

        Raises DesiredStateError for an unknown class.
        """
        try:
            return self._client.request("GET", self._path)
        except GraylogError as error:
            if error.status not in (400, 404):
                raise
            known = ", ".join(sorted(self._client.request("GET", CLASSES)["classes"]))
            raise DesiredStateError(
                f"This Graylog has no cluster configuration {self.name!r}. Stored are: {known}"
            ) from error

    def current(self, item: dict) -> dict:
        """Return the current values of the given keys."""
        return part(self._settings, item)

    def desired(self, item: dict | None) -> dict:
        """Return the given settings."""
        return self._settings

    def create(self) -> None:
        """Store the settings."""
        self._write(self._settings)

    def update(self, item: dict) -> None:
        """Send all settings of the class: Graylog would drop missing ones."""
        self._write(_merged(item, self._settings))

    def _write(self, settings: dict) -> None:
        try:
            self._client.request("PUT", self._path, settings)
        except GraylogError as error:
            if error.status != 400:
                raise
            raise DesiredStateError(
                f"Graylog refused the settings of the cluster configuration {self.name!r}. Check the names and types "
                f"of {', '.join(sorted(self._settings))}: {error}"
            ) from error

    def delete(self, item: dict) -> None:
        """Delete the settings; Graylog's defaults then apply."""
        self._client.request("DELETE", self._path)


def _merged(current: object, desired: object) -> object:
    if isinstance(current, dict) and isinstance(desired, dict):
        return {**current, **{key: _merged(current.get(key), value) for key, value in desired.items()}}
    return desired
