"""Notifications of Graylog: where an event is told."""

from __future__ import annotations

import re

from .client import GraylogClient
from .reconcile import HIDDEN, Resource, WishError, only, part

LIST = "/events/notifications"
# Secrets of notifications by HTTP, which Graylog encrypts and never shows.
ENCRYPTED = ("basic_auth", "api_secret")


def listed(client: GraylogClient) -> list[dict]:
    """Return all notifications."""
    return client.pages(LIST, "notifications")


def allowed(client: GraylogClient, url: str) -> bool:
    """Return whether Graylog may call the address, by its own list of them."""
    answer = client.request("GET", client.release.url_list)
    if answer.get("disabled"):
        return True
    for entry in answer["entries"]:
        if entry["type"] == "literal" and entry["value"] == url:
            return True
        if entry["type"] == "regex" and _matches(entry["value"], url):
            return True
    return False


def _matches(pattern: str, url: str) -> bool:
    try:
        return re.search(pattern, url) is not None
    except re.error:  # one that only Java can read: Graylog is to judge
        return True


def is_hidden(value: object) -> bool:
    """Return whether this is how Graylog shows a secret: {"is_set": ...}."""
    return isinstance(value, dict) and set(value) == {"is_set"}


def lacks(held: object, secret: object) -> bool:
    """Return whether what Graylog shows of a secret tells that it has another value, or none."""
    if is_hidden(held):
        return bool(secret) and not held["is_set"]
    return (held or "") != (secret or "")


class Notification(Resource):
    """A notification, known by its title.

    description: None leaves it as it is. config: Graylog's own words with `type`; what it leaves open stays.
    secrets: settings that are not shown; written where Graylog has none yet or shows another value, and every time
    where `always` is true.
    """

    kind = "event notification"

    def __init__(
        self, client: GraylogClient, title: str, description: str | None, config: dict, secrets: dict, always: bool
    ) -> None:
        self.name = title
        self._client = client
        self._description = description
        self._config = config
        self._secrets = secrets
        self._always = always
        self._written: dict = {}

    def find(self) -> dict | None:
        """Return the notification, None where there is none."""
        return only(self.kind, self.name, [item for item in listed(self._client) if item["title"] == self.name])

    def picture(self, item: dict) -> dict:
        """Return what the wish speaks of; the secrets only where they were just written."""
        config = part(self._config, {key: value for key, value in item["config"].items() if key not in self._secrets})
        secrets = dict.fromkeys(self._written, HIDDEN)
        return {"title": item["title"], "description": item.get("description") or "", "config": {**config, **secrets}}

    def wished(self, item: dict | None) -> dict:
        """Return the notification as it shall be. Raises WishError for a setting that is a secret and is not."""
        double = sorted(set(self._secrets) & set(self._config))
        if double:
            raise WishError(f"The notification {self.name!r} has {', '.join(double)} both in config and in secrets")
        held = self.picture(item)["description"] if item else ""
        return {
            "title": self.name,
            "description": held if self._description is None else self._description,
            "config": {**self._config, **dict.fromkeys(self._due(item), HIDDEN)},
        }

    def create(self) -> None:
        """Make it."""
        self._client.create(LIST, self._body(None))
        self._written = self._due(None)

    def update(self, item: dict) -> None:
        """Change it: the whole of it is sent."""
        self._client.request("PUT", f"{LIST}/{item['id']}", {"id": item["id"], **self._body(item)})
        self._written = self._due(item)

    def delete(self, item: dict) -> None:
        """Take it away, also from the event definitions that use it."""
        self._client.request("DELETE", f"{LIST}/{item['id']}")

    @property
    def barred_url(self) -> str | None:
        """The address of the notification that Graylog will refuse to call, None where there is none.

        One that is a secret is HIDDEN: warnings are the one thing in an answer out of which Ansible takes no secrets.
        """
        for settings in (self._config, self._secrets):
            url = settings.get("url") or settings.get("webhook_url")
            if url and not allowed(self._client, url):
                return HIDDEN if settings is self._secrets else url
        return None

    def _due(self, item: dict | None) -> dict:
        """Return the secrets that must be written."""
        if item is None or self._always or self._changes_type(item):
            return self._secrets
        held = item["config"]
        return {key: value for key, value in self._secrets.items() if key in held and lacks(held[key], value)}

    def _changes_type(self, item: dict) -> bool:
        return self._config["type"] != item["config"]["type"]

    def _body(self, item: dict | None) -> dict:
        wished = self.wished(item)
        kept: dict = {}
        if item and not self._changes_type(item):
            # The settings of a kind are all of them its own words, so those that it shows can be sent again.
            for key, value in item["config"].items():
                if not is_hidden(value):
                    kept[key] = value
                elif value["is_set"]:
                    kept[key] = {"keep_value": True}
        config = {**kept, **self._config}
        for key, value in self._due(item).items():
            hides = key in ENCRYPTED or is_hidden((item or {"config": {}})["config"].get(key))
            config[key] = {"set_value": value} if hides and not isinstance(value, dict) else value
        return {"title": self.name, "description": wished["description"], "config": config}
