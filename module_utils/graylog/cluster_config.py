"""Settings of a whole Graylog cluster: the order of processing, addresses it may call, other classes of settings."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from .client import GraylogClient, GraylogError
from .reconcile import Resource, WishError, part

PROCESSORS = "/system/messageprocessors/config"
CLASSES = "/system/cluster_config"


class Processors(Resource):
    """The steps that each message goes through.

    order: class names or short titles in the order in which they shall stand; others keep their places.
    disabled: the exact set of those that are left out. None leaves each as it is.
    """

    kind = "cluster configuration"
    name = "message processors"

    def __init__(self, client: GraylogClient, order: list[str] | None, disabled: list[str] | None) -> None:
        self._client = client
        self._order = order
        self._disabled = disabled

    def find(self) -> dict:
        """Return the configuration, which every Graylog has."""
        return self._client.request("GET", PROCESSORS)

    def picture(self, item: dict) -> dict:
        """Return it with the titles of the processors."""
        titles = {each["class_name"]: each["name"] for each in item["processor_order"]}
        return {
            "order": [each["name"] for each in item["processor_order"]],
            "disabled": sorted(titles.get(name, name) for name in item["disabled_processors"]),
        }

    def wished(self, item: dict | None) -> dict:
        """Return it as it shall be. Raises WishError for a processor that this Graylog does not have."""
        held = self.picture(item)
        shall = dict(held)
        if self._order is not None:
            named = self._titles(item, self._order)
            rest = iter(named)
            shall["order"] = [next(rest) if title in named else title for title in held["order"]]
        if self._disabled is not None:
            shall["disabled"] = sorted(self._titles(item, self._disabled))
        return shall

    @staticmethod
    def _titles(item: dict, names: list[str]) -> list[str]:
        known = item["processor_order"]
        titles = {each[key]: each["name"] for each in known for key in ("name", "class_name")}
        unknown = [name for name in names if name not in titles]
        if unknown:
            raise WishError(
                f"This Graylog has no message processors {', '.join(map(repr, unknown))}. It has: "
                + ", ".join(f"{each['name']} ({each['class_name']})" for each in known)
            )
        return list(dict.fromkeys(titles[name] for name in names))

    def create(self) -> None:
        """Not needed: it is always there."""

    def update(self, item: dict) -> None:
        """Change it: the whole of it is sent."""
        shall = self.wished(item)
        classes = {each["name"]: each["class_name"] for each in item["processor_order"]}
        body = {
            "processor_order": [{"name": title, "class_name": classes[title]} for title in shall["order"]],
            "disabled_processors": [classes.get(title, title) for title in shall["disabled"]],
        }
        self._client.request("PUT", PROCESSORS, body)

    def delete(self, item: dict) -> None:
        """Refuse: there are always processors."""
        raise WishError("The message processors cannot be taken away: disable those that shall not work")


class UrlList(Resource):
    """The addresses that Graylog may call, for example to notify.

    entries: each with `type` (literal, regex), `value`, by which it is known, `title` and `id`; a title that is None
    stays, and is the value for a new one; an id counts for a new one only. disabled: whether all addresses may be
    called; None leaves it. purge: whether other entries go.
    """

    kind = "cluster configuration"
    name = "list of addresses to call"

    def __init__(self, client: GraylogClient, entries: list[dict] | None, disabled: bool | None, purge: bool) -> None:
        self._client = client
        self._entries = entries
        self._disabled = disabled
        self._purge = purge

    def find(self) -> dict:
        """Return the list, which every Graylog has."""
        return self._client.request("GET", self._client.release.url_list)

    def picture(self, item: dict) -> dict:
        """Return the list without the entries' ids."""
        entries = [{key: entry.get(key) or "" for key in ("value", "type", "title")} for entry in item["entries"]]
        return {"disabled": item["disabled"], "entries": _sorted(entries)}

    def wished(self, item: dict | None) -> dict:
        """Return the list as it shall be."""
        return self.picture(self._body(item))

    def _body(self, item: dict) -> dict:
        held = {entry["value"]: entry for entry in reversed(item["entries"])}
        wished = {entry["value"]: entry for entry in self._entries or []}
        purge = self._purge and self._entries is not None
        kept = [_entry(entry) for entry in item["entries"] if entry["value"] not in wished and not purge]
        named = [self._made(entry, held.get(value)) for value, entry in wished.items()]
        disabled = item["disabled"] if self._disabled is None else self._disabled
        return {"disabled": disabled, "entries": kept + named}

    @staticmethod
    def _made(wish: dict, held: dict | None) -> dict:
        start = held or {"id": wish.get("id") or str(uuid.uuid4()), "title": wish["value"]}
        title = wish["title"] if wish.get("title") is not None else start["title"]
        return _entry({**start, "type": wish["type"], "value": wish["value"], "title": title})

    def create(self) -> None:
        """Not needed: it is always there."""

    def update(self, item: dict) -> None:
        """Change it: the whole list is sent."""
        self._client.request("PUT", self._client.release.url_list, self._body(item))

    def delete(self, item: dict) -> None:
        """Refuse: there is always a list."""
        raise WishError("The list of addresses cannot be taken away: empty it, with no entries and purge")


def _entry(entry: dict) -> dict:
    return {key: entry.get(key) for key in ("id", "type", "title", "value")}


def _sorted(entries: list[dict]) -> list[dict]:
    return sorted(entries, key=lambda entry: entry["value"])


class ConfigClass(Resource):
    """Settings of one Java class; of them only the keys that are named, at any depth, are managed."""

    kind = "cluster configuration"

    def __init__(self, client: GraylogClient, class_name: str, settings: dict) -> None:
        self.name = class_name
        self._client = client
        self._settings = settings
        self._path = f"{CLASSES}/{quote(class_name, safe='')}"

    def find(self) -> dict | None:
        """Return the settings that are stored, None where there are none. Raises WishError for an unknown class."""
        try:
            return self._client.request("GET", self._path)
        except GraylogError as error:
            if error.status not in (400, 404):
                raise
            known = ", ".join(sorted(self._client.request("GET", CLASSES)["classes"]))
            raise WishError(
                f"This Graylog has no cluster configuration {self.name!r}. Those that are stored: {known}"
            ) from error

    def picture(self, item: dict) -> dict:
        """Return the settings in force, of those that the wish names."""
        return part(self._settings, item)

    def wished(self, item: dict | None) -> dict:
        """Return the settings as they shall be."""
        return self._settings

    def create(self) -> None:
        """Store them."""
        self._write(self._settings)

    def update(self, item: dict) -> None:
        """Change them: the class's whole settings are sent, for what is not sent would be lost."""
        self._write(_merged(item, self._settings))

    def _write(self, settings: dict) -> None:
        try:
            self._client.request("PUT", self._path, settings)
        except GraylogError as error:
            if error.status != 400:
                raise
            raise WishError(
                f"The settings of the cluster configuration {self.name!r} were refused. Look at the names and kinds of "
                f"{', '.join(sorted(self._settings))}: {error}"
            ) from error

    def delete(self, item: dict) -> None:
        """Take them away; Graylog's own values are then in force."""
        self._client.request("DELETE", self._path)


def _merged(held: object, wish: object) -> object:
    if isinstance(held, dict) and isinstance(wish, dict):
        return {**held, **{key: _merged(held.get(key), value) for key, value in wish.items()}}
    return wish
