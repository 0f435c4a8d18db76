"""Manage event definitions of Graylog: search, interval and notifications."""

from __future__ import annotations

from dataclasses import dataclass, field

from .client import GraylogClient
from .event_conditions import Condition, current_condition
from .event_notifications import event_notifications
from .reconcile import DesiredStateError, Resource, only, part

LIST = "/events/definitions"
AGGREGATION = "aggregation-v1"
# Defaults of a new definition. Priorities: 1 low, 2 normal, 3 high.
NEW = {
    "description": "",
    "priority": 2,
    "alert": True,
    "field_spec": {},
    "key_spec": [],
    "notification_settings": {"grace_period_ms": 0, "backlog_size": 0},
    "enabled": True,
    "notifications": [],
}
# Defaults of a new search.
NEW_AGGREGATION = {
    "type": AGGREGATION,
    "query": "",
    "query_parameters": [],
    "streams": [],
    "group_by": [],
    "series": [],
    "conditions": {"expression": None},
    "search_within_ms": 300000,
    "execute_every_ms": 300000,
}
# Maximum of events of one search, the default of Graylog's own pages; a new search without a limit is refused.
EVENT_LIMIT = {"event_limit": 100}
# Settings of later releases, which an update without them would clear.
KEPT = ("remediation_steps", "event_procedure", "event_summary_template", "tags")
SENT = ("description", "priority", "alert", "field_spec", "key_spec", "notification_settings")


@dataclass(frozen=True)
class DesiredDefinition:
    """The desired settings of a definition; None leaves a setting unchanged.

    settings: description, priority, alert, field_spec, key_spec, notification_settings, enabled, as far as given.
    config: settings of the search with Graylog's own keys, without streams and, beside `condition`, without series.
    condition: the common form. streams, notifications: titles, the exact sets.
    """

    title: str
    settings: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict)
    condition: Condition | None = None
    streams: list[str] | None = None
    notifications: list[str] | None = None


class Definition(Resource):
    """An event definition, known by its title."""

    kind = "event definition"

    def __init__(self, client: GraylogClient, definition: DesiredDefinition) -> None:
        self.name = definition.title
        self._client = client
        self._definition = definition

    def find(self) -> dict | None:
        """Return the definition with `enabled`, or None."""
        same = [item for item in self._client.pages(LIST, "event_definitions") if item["title"] == self.name]
        found = only(self.kind, self.name, same)
        return {**found, "enabled": self._enabled(found)} if found else None

    def current(self, item: dict) -> dict:
        """Return the current values of the given settings, with titles instead of ids."""
        definition = self._definition
        current = {"title": item["title"], **part(definition.settings, item)}
        if "field_spec" in definition.settings and set(definition.settings["field_spec"]) != set(item["field_spec"]):
            current["field_spec"] = item["field_spec"]
        if definition.notifications is not None:
            titles = {each["id"]: each["title"] for each in event_notifications(self._client)}
            ids = [use["notification_id"] for use in item["notifications"]]
            current["notifications"] = sorted(titles.get(each, each) for each in ids)
        config = part(definition.config, item["config"])
        if definition.streams is not None:
            titles = {stream["id"]: stream["title"] for stream in self._streams()}
            config["streams"] = sorted(titles.get(each, each) for each in item["config"].get("streams", []))
        if definition.condition is not None:
            config["condition"] = current_condition(item["config"])
        return {**current, "config": config}

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings. Raises DesiredStateError for a built-in definition."""
        self._refuse_built_in(item)
        definition = self._definition
        desired = {"title": self.name, **definition.settings}
        if definition.notifications is not None:
            desired["notifications"] = sorted(set(definition.notifications))
        config = dict(definition.config)
        if definition.streams is not None:
            config["streams"] = sorted(set(definition.streams))
        if definition.condition is not None:
            config["condition"] = str(definition.condition)
        return {**desired, "config": config}

    def create(self) -> None:
        """Create the definition."""
        enabled = self._definition.settings.get("enabled", NEW["enabled"])
        self._client.create(f"{LIST}?schedule={str(enabled).lower()}", self._body(None))

    def update(self, item: dict) -> None:
        """Replace the definition, then enable or disable it."""
        current, desired = self.current(item), self.desired(item)
        enabled = desired.pop("enabled", item["enabled"])
        current.pop("enabled", None)
        path = f"{LIST}/{item['id']}"
        if current != desired:
            body = {"id": item["id"], **self._body(item)}
            self._client.request("PUT", f"{path}?schedule={str(item['enabled']).lower()}", body)
        if enabled != item["enabled"]:
            self._client.request("PUT", f"{path}/{'schedule' if enabled else 'unschedule'}")

    def delete(self, item: dict) -> None:
        """Delete the definition; its past events stay."""
        self._refuse_built_in(item)
        self._client.request("DELETE", f"{LIST}/{item['id']}")

    def _enabled(self, item: dict) -> bool:
        """Return whether Graylog runs the definition.

        Older releases show this for a single definition only.
        """
        if "state" in item:
            return item["state"] == "ENABLED"
        answer = self._client.request("GET", f"{LIST}/{item['id']}/with-context")
        return answer["context"]["scheduler"]["is_scheduled"]

    def _refuse_built_in(self, item: dict | None) -> None:
        if item and (item.get("_scope", "DEFAULT") != "DEFAULT" or item["config"]["type"].startswith("system-")):
            raise DesiredStateError(f"The event definition {self.name!r} is built into Graylog: choose another title")

    def _streams(self) -> list[dict]:
        return self._client.request("GET", "/streams")["streams"]

    def _body(self, item: dict | None) -> dict:
        settings = self._definition.settings
        old = item or NEW
        body = {"title": self.name, **{key: settings.get(key, old[key]) for key in SENT}}
        if "notification_settings" in settings:
            body["notification_settings"] = {**old["notification_settings"], **settings["notification_settings"]}
        body |= {key: old[key] for key in KEPT if old.get(key)}
        return {
            **body,
            "config": self._config_body(item),
            "notifications": self._notifications_body(old["notifications"]),
            "storage": old.get("storage", []),
        }

    def _config_body(self, item: dict | None) -> dict:
        """Return the settings of the search.

        A definition accepts every setting that it shows.
        """
        definition = self._definition
        kind = definition.config.get("type", item["config"]["type"] if item else AGGREGATION)
        if item and item["config"]["type"] == kind:
            old = item["config"]
        else:
            old = NEW_AGGREGATION if kind == AGGREGATION else {"type": kind}
            if kind == AGGREGATION and self._client.release.limits_events:
                old = {**old, **EVENT_LIMIT}
        config = {**old, **definition.config}
        if definition.condition is not None:
            config.update(definition.condition.config(self._client.release.series_key))
        if definition.streams is not None:
            config["streams"] = self._ids("stream", definition.streams, self._streams())
        return config

    def _notifications_body(self, old: list[dict]) -> list[dict]:
        if self._definition.notifications is None:
            return old
        ids = self._ids("event notification", self._definition.notifications, event_notifications(self._client))
        kept = {use["notification_id"]: use for use in old}
        return [kept.get(each, {"notification_id": each, "notification_parameters": None}) for each in ids]

    def _ids(self, kind: str, titles: list[str], items: list[dict]) -> list[str]:
        """Return the ids of the titles.

        Raises DesiredStateError for a missing or ambiguous title.
        """
        ids = []
        for title in sorted(set(titles)):
            found = only(kind, title, [item for item in items if item["title"] == title])
            if found is None:
                raise DesiredStateError(
                    f"The event definition {self.name!r} needs the {kind} {title!r}, which does not exist: "
                    "create it first"
                )
            ids.append(found["id"])
        return ids
