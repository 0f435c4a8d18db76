"""Definitions of Graylog's events: what is looked for, how often, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from .client import GraylogClient
from .event_conditions import Condition, held_condition
from .event_notifications import listed as listed_notifications
from .reconcile import Resource, WishError, only, part

LIST = "/events/definitions"
AGGREGATION = "aggregation-v1"
# What a new definition has that says nothing else. Priorities: 1 low, 2 normal, 3 high.
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
# What a new search for events has that says nothing else.
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
# Events of one search at most, as Graylog's own pages suggest it; without a limit a new search is refused.
EVENT_LIMIT = {"event_limit": 100}
# What later releases have besides, and an update would blank.
KEPT = ("remediation_steps", "event_procedure", "event_summary_template", "tags")
SENT = ("description", "priority", "alert", "field_spec", "key_spec", "notification_settings")


@dataclass(frozen=True)
class DefinitionWish:
    """What a definition shall be; None leaves a setting as it is.

    settings: description, priority, alert, field_spec, key_spec, notification_settings, enabled, as far as wished.
    config: settings of the search in Graylog's words, without streams and, where `condition` is given, without series.
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

    def __init__(self, client: GraylogClient, wish: DefinitionWish) -> None:
        self.name = wish.title
        self._client = client
        self._wish = wish

    def find(self) -> dict | None:
        """Return the definition with `enabled`, None where there is none."""
        same = [item for item in self._client.pages(LIST, "event_definitions") if item["title"] == self.name]
        found = only(self.kind, self.name, same)
        return {**found, "enabled": self._enabled(found)} if found else None

    def picture(self, item: dict) -> dict:
        """Return what the wish speaks of, with titles in place of ids."""
        wish = self._wish
        picture = {"title": item["title"], **part(wish.settings, item)}
        if "field_spec" in wish.settings and set(wish.settings["field_spec"]) != set(item["field_spec"]):
            picture["field_spec"] = item["field_spec"]
        if wish.notifications is not None:
            titles = {each["id"]: each["title"] for each in listed_notifications(self._client)}
            ids = [use["notification_id"] for use in item["notifications"]]
            picture["notifications"] = sorted(titles.get(number, number) for number in ids)
        config = part(wish.config, item["config"])
        if wish.streams is not None:
            titles = {stream["id"]: stream["title"] for stream in self._streams()}
            config["streams"] = sorted(titles.get(number, number) for number in item["config"].get("streams", []))
        if wish.condition is not None:
            config["condition"] = held_condition(item["config"])
        return {**picture, "config": config}

    def wished(self, item: dict | None) -> dict:
        """Return the definition as it shall be. Raises WishError for one of Graylog's own."""
        self._refuse(item)
        wish = self._wish
        wished = {"title": self.name, **wish.settings}
        if wish.notifications is not None:
            wished["notifications"] = sorted(set(wish.notifications))
        config = dict(wish.config)
        if wish.streams is not None:
            config["streams"] = sorted(set(wish.streams))
        if wish.condition is not None:
            config["condition"] = str(wish.condition)
        return {**wished, "config": config}

    def create(self) -> None:
        """Make it."""
        enabled = self._wish.settings.get("enabled", NEW["enabled"])
        self._client.create(f"{LIST}?schedule={str(enabled).lower()}", self._body(None))

    def update(self, item: dict) -> None:
        """Change it: the whole of it is sent, then it is switched where that is wished."""
        held, wished = self.picture(item), self.wished(item)
        enabled = wished.pop("enabled", item["enabled"])
        held.pop("enabled", None)
        path = f"{LIST}/{item['id']}"
        if held != wished:
            body = {"id": item["id"], **self._body(item)}
            self._client.request("PUT", f"{path}?schedule={str(item['enabled']).lower()}", body)
        if enabled != item["enabled"]:
            self._client.request("PUT", f"{path}/{'schedule' if enabled else 'unschedule'}")

    def delete(self, item: dict) -> None:
        """Take it away; the events that it made stay."""
        self._refuse(item)
        self._client.request("DELETE", f"{LIST}/{item['id']}")

    def _enabled(self, item: dict) -> bool:
        """Return whether Graylog runs it: older releases tell that only beside a single definition."""
        if "state" in item:
            return item["state"] == "ENABLED"
        answer = self._client.request("GET", f"{LIST}/{item['id']}/with-context")
        return answer["context"]["scheduler"]["is_scheduled"]

    def _refuse(self, item: dict | None) -> None:
        if item and (item.get("_scope", "DEFAULT") != "DEFAULT" or item["config"]["type"].startswith("system-")):
            raise WishError(f"The event definition {self.name!r} is one of Graylog's own: choose another title")

    def _streams(self) -> list[dict]:
        return self._client.request("GET", "/streams")["streams"]

    def _body(self, item: dict | None) -> dict:
        wish = self._wish
        held = item or NEW
        body = {"title": self.name, **{key: wish.settings.get(key, held[key]) for key in SENT}}
        if "notification_settings" in wish.settings:
            body["notification_settings"] = {**held["notification_settings"], **wish.settings["notification_settings"]}
        body |= {key: held[key] for key in KEPT if held.get(key)}
        return {
            **body,
            "config": self._config_body(item),
            "notifications": self._uses(held["notifications"]),
            "storage": held.get("storage", []),
        }

    def _config_body(self, item: dict | None) -> dict:
        """Return the settings of the search.

        The held ones can be sent again: all that a kind shows is what it takes.
        """
        wish = self._wish
        kind = wish.config.get("type", item["config"]["type"] if item else AGGREGATION)
        if item and item["config"]["type"] == kind:
            held = item["config"]
        else:
            held = NEW_AGGREGATION if kind == AGGREGATION else {"type": kind}
            if kind == AGGREGATION and self._client.release.limits_events:
                held = {**held, **EVENT_LIMIT}
        config = {**held, **wish.config}
        if wish.condition is not None:
            config.update(wish.condition.config(self._client.release.series_word))
        if wish.streams is not None:
            config["streams"] = self._ids("stream", wish.streams, self._streams())
        return config

    def _uses(self, held: list[dict]) -> list[dict]:
        if self._wish.notifications is None:
            return held
        ids = self._ids("event notification", self._wish.notifications, listed_notifications(self._client))
        kept = {use["notification_id"]: use for use in held}
        return [kept.get(number, {"notification_id": number, "notification_parameters": None}) for number in ids]

    def _ids(self, kind: str, titles: list[str], items: list[dict]) -> list[str]:
        """Return the ids of the titles. Raises WishError where one is missing or not unique."""
        ids = []
        for title in sorted(set(titles)):
            found = only(kind, title, [item for item in items if item["title"] == title])
            if found is None:
                raise WishError(
                    f"The event definition {self.name!r} needs the {kind} {title!r}, which is not there: make it first"
                )
            ids.append(found["id"])
        return ids
