"""Manage event notifications of Graylog: by mail, by HTTP or by a plugin."""

from __future__ import annotations

import re

from .client import GraylogClient
from .reconcile import HIDDEN, DesiredStateError, Resource, only, part

LIST = "/events/notifications"
# Secrets of HTTP notifications, which Graylog encrypts and never shows.
ENCRYPTED = ("basic_auth", "api_secret")


def event_notifications(client: GraylogClient) -> list[dict]:
    """Return all notifications."""
    return client.pages(LIST, "notifications")


def allowed(client: GraylogClient, url: str) -> bool:
    """Return whether Graylog's list of allowed URLs has the address."""
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
    except re.error:  # Java's dialect: leave the decision to Graylog
        return True


def is_hidden(value: object) -> bool:
    """Return whether Graylog hides this value: {"is_set": ...}."""
    return isinstance(value, dict) and set(value) == {"is_set"}


def is_outdated(current: object, secret: object) -> bool:
    """Return whether a secret's current value visibly differs from the desired value."""
    if is_hidden(current):
        return bool(secret) and not current["is_set"]
    return (current or "") != (secret or "")


class Notification(Resource):
    """A notification, known by its title.

    description: None leaves it unchanged. config: Graylog's own keys with `type`; other keys stay unchanged.
    secrets: settings that are not shown. A secret is written if Graylog has none or shows another value, and in every
    run if `always` is true.
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
        """Return the notification, or None."""
        listed = event_notifications(self._client)
        return only(self.kind, self.name, [item for item in listed if item["title"] == self.name])

    def current(self, item: dict) -> dict:
        """Return the current values of the given settings.

        Secrets are included only if they were just written.
        """
        config = part(self._config, {key: value for key, value in item["config"].items() if key not in self._secrets})
        secrets = dict.fromkeys(self._written, HIDDEN)
        return {"title": item["title"], "description": item.get("description") or "", "config": {**config, **secrets}}

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError for a key in both config and secrets.
        """
        double = sorted(set(self._secrets) & set(self._config))
        if double:
            raise DesiredStateError(
                f"The notification {self.name!r} has {', '.join(double)} both in config and in secrets: "
                "keep the one in secrets"
            )
        description = self.current(item)["description"] if item else ""
        return {
            "title": self.name,
            "description": description if self._description is None else self._description,
            "config": {**self._config, **dict.fromkeys(self._due(item), HIDDEN)},
        }

    def create(self) -> None:
        """Create the notification."""
        self._client.create(LIST, self._body(None))
        self._written = self._due(None)

    def update(self, item: dict) -> None:
        """Replace the notification: Graylog takes no partial update."""
        self._client.request("PUT", f"{LIST}/{item['id']}", {"id": item["id"], **self._body(item)})
        self._written = self._due(item)

    def delete(self, item: dict) -> None:
        """Delete the notification, also from the event definitions that use it."""
        self._client.request("DELETE", f"{LIST}/{item['id']}")

    @property
    def blocked_url(self) -> str | None:
        """Return the address that Graylog's list of allowed URLs lacks, or None.

        An address that is a secret is HIDDEN: Ansible masks secrets everywhere in an answer except in warnings.
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
        config = item["config"]
        return {key: value for key, value in self._secrets.items() if key in config and is_outdated(config[key], value)}

    def _changes_type(self, item: dict) -> bool:
        return self._config["type"] != item["config"]["type"]

    def _body(self, item: dict | None) -> dict:
        desired = self.desired(item)
        kept: dict = {}
        if item and not self._changes_type(item):
            # A notification accepts every setting that it shows.
            for key, value in item["config"].items():
                if not is_hidden(value):
                    kept[key] = value
                elif value["is_set"]:
                    kept[key] = {"keep_value": True}
        config = {**kept, **self._config}
        for key, value in self._due(item).items():
            hides = key in ENCRYPTED or is_hidden((item or {"config": {}})["config"].get(key))
            config[key] = {"set_value": value} if hides and not isinstance(value, dict) else value
        return {"title": self.name, "description": desired["description"], "config": config}
