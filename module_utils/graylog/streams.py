"""Manage streams of Graylog, their rules, index sets and pipelines."""

from __future__ import annotations

from .client import GraylogClient
from .index_sets import index_sets
from .pipelines import CONNECTIONS, pipelines
from .reconcile import DesiredStateError, Resource, only
from .stream_rules import StreamRules

DEFAULT_ID = "000000000000000000000001"
# The ids of built-in streams begin so.
BUILT_IN_PREFIX = "0" * 20
# The default stream's title in 3.3, and in later releases.
DEFAULT_TITLES = ("all messages", "default stream")
NEW = {"description": "", "matching_type": "AND", "remove_matches_from_default_stream": False}


class Stream(Resource):
    """A stream, known by its title.

    settings: keys of NEW, `index_set` (prefix or title) and `started`. None leaves a setting unchanged; a new stream
    is started. rules: None leaves all rules unchanged. pipelines: titles, the exact set; None leaves them unchanged.
    """

    kind = "stream"

    def __init__(
        self,
        client: GraylogClient,
        title: str,
        settings: dict,
        rules: list[dict] | None = None,
        purge_rules: bool = False,
        pipeline_titles: list[str] | None = None,
    ) -> None:
        self.name = title.strip()
        self._client = client
        self._settings = {key: value for key, value in settings.items() if value is not None}
        self._rules = None if rules is None else StreamRules(client, self.name, rules, purge_rules)
        self._pipelines = None if pipeline_titles is None else sorted(set(pipeline_titles))

    def find(self) -> dict | None:
        """Return the stream, or None; find the default stream by either of its titles."""
        streams = self._client.request("GET", "/streams")["streams"]
        found = [item for item in streams if item["title"].strip() == self.name]
        if not found and self.name.lower() in DEFAULT_TITLES:
            found = [item for item in streams if item["id"] == DEFAULT_ID]
        return only(self.kind, self.name, found)

    def current(self, item: dict) -> dict:
        """Return the settings of the stream; of a built-in stream, only the pipelines."""
        current = {"title": item["title"].strip()}
        if not _built_in(item):
            current.update(self._settings_of(item))
            if self._rules:
                current["rules"] = self._rules.current(item["rules"])
        if self._pipelines is not None:
            current["pipelines"] = self._connected(item)
        return current

    def _settings_of(self, item: dict) -> dict:
        used = next((each for each in index_sets(self._client) if each["id"] == item["index_set_id"]), None)
        return {
            "description": item.get("description") or "",
            "matching_type": item["matching_type"],
            "remove_matches_from_default_stream": item["remove_matches_from_default_stream"],
            "index_set": used["index_prefix"] if used else item["index_set_id"],
            "started": not item["disabled"],
        }

    def _connected(self, item: dict) -> list[str]:
        connection = self._client.find(f"{CONNECTIONS}/{item['id']}")
        titles = {pipeline["id"]: pipeline["title"] for pipeline in pipelines(self._client)}
        return sorted(titles[each] for each in (connection or {}).get("pipeline_ids", []) if each in titles)

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError for settings of a built-in stream.
        """
        connected = {} if self._pipelines is None else {"pipelines": self._pipelines}
        if item and _built_in(item):
            if self._settings or self._rules:
                raise DesiredStateError(
                    f"The stream {item['title']!r} is built into Graylog, and only its pipelines can be managed: "
                    "remove the other options"
                )
            return {"title": item["title"].strip(), **connected}
        desired = {"title": self.name, **(self._settings_of(item) if item else {**NEW, "started": True})}
        desired.update(self._settings)
        desired["index_set"] = self._index_set(item)
        if self._rules:
            desired["rules"] = self._rules.desired(item["rules"] if item else [])
        return {**desired, **connected}

    def _index_set(self, item: dict | None) -> str:
        """Return the prefix of the desired index set, or its name if it does not exist."""
        if "index_set" not in self._settings and item:
            return self._settings_of(item)["index_set"]
        found = self._desired_set()
        return found["index_prefix"] if found else self._settings["index_set"]

    def _desired_set(self) -> dict | None:
        existing = index_sets(self._client)
        if "index_set" not in self._settings:
            return next(each for each in existing if each["default"])
        name = self._settings["index_set"]
        by_prefix = [each for each in existing if each["index_prefix"] == name]
        return only("index set", name, by_prefix or [each for each in existing if each["title"] == name])

    def create(self) -> None:
        """Create the stream, then resume it: Graylog creates streams paused."""
        desired = self.desired(None)
        pipeline_ids = self._pipeline_ids()
        rules = self._rules.bodies() if self._rules else []
        created = self._client.create("/streams", {**self._body(desired, None), "rules": rules})
        path = f"/streams/{created['stream_id']}"
        if desired["started"]:
            self._client.request("POST", f"{path}/resume")
        if pipeline_ids:
            self._connect(created["stream_id"], pipeline_ids)

    def update(self, item: dict) -> None:
        """Write what differs. All references are resolved before the first write."""
        desired, current = self.desired(item), self.current(item)
        path = f"/streams/{item['id']}"
        pipeline_ids = self._pipeline_ids()
        if not _built_in(item):
            body = self._body(desired, item)
            if self._rules:
                self._rules.check_inputs()
            if any(desired[key] != current[key] for key in (*NEW, "title", "index_set")):
                self._client.request("PUT", path, body)
            if self._rules and desired["rules"] != current["rules"]:
                self._rules.apply(path, item["rules"])
            if desired["started"] != current["started"]:
                self._client.request("POST", f"{path}/{'resume' if desired['started'] else 'pause'}")
        if desired.get("pipelines") != current.get("pipelines"):
            self._connect(item["id"], pipeline_ids)

    def _body(self, desired: dict, item: dict | None) -> dict:
        if item and "index_set" not in self._settings:
            set_id = item["index_set_id"]
        else:
            found = self._desired_set()
            if found is None:
                raise DesiredStateError(
                    f"The stream {self.name!r} needs the index set {desired['index_set']!r}, which does not exist: "
                    "create it first"
                )
            set_id = found["id"]
        return {"title": self.name, **{key: desired[key] for key in NEW}, "index_set_id": set_id}

    def _pipeline_ids(self) -> list[str]:
        """Return the ids of the desired pipelines.

        Raises DesiredStateError if a pipeline does not exist.
        """
        existing = pipelines(self._client) if self._pipelines else []
        found = {
            title: only("pipeline", title, [each for each in existing if each["title"] == title])
            for title in self._pipelines or []
        }
        missing = [title for title, pipeline in found.items() if pipeline is None]
        if missing:
            raise DesiredStateError(
                f"The stream {self.name!r} needs the pipelines {', '.join(missing)}, which do not exist: "
                "create them first"
            )
        return [pipeline["id"] for pipeline in found.values()]

    def _connect(self, stream_id: str, pipeline_ids: list[str]) -> None:
        self._client.request("POST", f"{CONNECTIONS}/to_stream", {"stream_id": stream_id, "pipeline_ids": pipeline_ids})

    def delete(self, item: dict) -> None:
        """Delete the stream. Raises DesiredStateError for a built-in stream."""
        if _built_in(item):
            raise DesiredStateError(f"The stream {item['title']!r} is built into Graylog and cannot be deleted")
        self._client.request("DELETE", f"/streams/{item['id']}")


def _built_in(item: dict) -> bool:
    return item["id"].startswith(BUILT_IN_PREFIX)
