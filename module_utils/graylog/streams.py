"""Streams of Graylog: which messages belong together, where they are kept, and what pipelines they go through."""

from __future__ import annotations

from .client import GraylogClient
from .index_sets import index_sets
from .pipelines import pipelines
from .reconcile import Resource, WishError, only
from .stream_rules import StreamRules

DEFAULT_ID = "000000000000000000000001"
# Graylog's own streams have ids that begin so.
OWN = "0" * 20
# The default stream's title in 3.3, and in later releases.
DEFAULT_TITLES = ("all messages", "default stream")
NEW = {"description": "", "matching_type": "AND", "remove_matches_from_default_stream": False}
CONNECTIONS = "/system/pipelines/connections"


class Stream(Resource):
    """A stream, known by its title.

    settings: keys of NEW, beside `index_set` (prefix or title) and `started`; None leaves it as it is, and starts
    a new stream. rules: None leaves them all. pipelines: titles, the exact set; None leaves them.
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
        """Return the stream, None where there is none; the default stream by either of its titles."""
        streams = self._client.request("GET", "/streams")["streams"]
        found = [item for item in streams if item["title"].strip() == self.name]
        if not found and self.name.lower() in DEFAULT_TITLES:
            found = [item for item in streams if item["id"] == DEFAULT_ID]
        return only(self.kind, self.name, found)

    def picture(self, item: dict) -> dict:
        """Return the stream as it is; of Graylog's own streams, the pipelines only."""
        picture = {"title": item["title"].strip()}
        if not _own(item):
            picture.update(self._settings_of(item))
            if self._rules:
                picture["rules"] = self._rules.pictures(item["rules"])
        if self._pipelines is not None:
            picture["pipelines"] = self._connected(item)
        return picture

    def _settings_of(self, item: dict) -> dict:
        used = next((held for held in index_sets(self._client) if held["id"] == item["index_set_id"]), None)
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

    def wished(self, item: dict | None) -> dict:
        """Return the stream as it shall be. Raises WishError for a change of one of Graylog's own."""
        connected = {} if self._pipelines is None else {"pipelines": self._pipelines}
        if item and _own(item):
            if self._settings or self._rules:
                raise WishError(
                    f"The stream {item['title']!r} is one of Graylog's own, of which only the pipelines can be "
                    "managed: leave the other options out"
                )
            return {"title": item["title"].strip(), **connected}
        shall = {"title": self.name, **(self._settings_of(item) if item else {**NEW, "started": True})}
        shall.update(self._settings)
        shall["index_set"] = self._index_set(item)
        if self._rules:
            shall["rules"] = self._rules.wished(item["rules"] if item else [])
        return {**shall, **connected}

    def _index_set(self, item: dict | None) -> str:
        """Return the prefix of the wished index set, or what the wish calls it where it is not there."""
        if "index_set" not in self._settings and item:
            return self._settings_of(item)["index_set"]
        found = self._wished_set()
        return found["index_prefix"] if found else self._settings["index_set"]

    def _wished_set(self) -> dict | None:
        held = index_sets(self._client)
        if "index_set" not in self._settings:
            return next(each for each in held if each["default"])
        name = self._settings["index_set"]
        by_prefix = [each for each in held if each["index_prefix"] == name]
        return only("index set", name, by_prefix or [each for each in held if each["title"] == name])

    def create(self) -> None:
        """Make it; Graylog makes it paused."""
        shall = self.wished(None)
        wanted = self._pipeline_ids()
        rules = self._rules.new() if self._rules else []
        made = self._client.create("/streams", {**self._body(shall, None), "rules": rules})
        path = f"/streams/{made['stream_id']}"
        if shall["started"]:
            self._client.request("POST", f"{path}/resume")
        if wanted:
            self._connect(made["stream_id"], wanted)

    def update(self, item: dict) -> None:
        """Change what differs. Everything that is named is looked for before the first write."""
        shall, held = self.wished(item), self.picture(item)
        path = f"/streams/{item['id']}"
        wanted = self._pipeline_ids()
        if not _own(item):
            body = self._body(shall, item)
            if self._rules:
                self._rules.look_at_inputs()
            if any(shall[key] != held[key] for key in (*NEW, "title", "index_set")):
                self._client.request("PUT", path, body)
            if self._rules and shall["rules"] != held["rules"]:
                self._rules.apply(path, item["rules"])
            if shall["started"] != held["started"]:
                self._client.request("POST", f"{path}/{'resume' if shall['started'] else 'pause'}")
        if shall.get("pipelines") != held.get("pipelines"):
            self._connect(item["id"], wanted)

    def _body(self, shall: dict, item: dict | None) -> dict:
        if item and "index_set" not in self._settings:
            set_id = item["index_set_id"]
        else:
            found = self._wished_set()
            if found is None:
                raise WishError(
                    f"The stream {self.name!r} shall keep its messages in the index set {shall['index_set']!r}, which "
                    "is not there: make it first"
                )
            set_id = found["id"]
        return {"title": self.name, **{key: shall[key] for key in NEW}, "index_set_id": set_id}

    def _pipeline_ids(self) -> list[str]:
        """Return the ids of the wished pipelines. Raises WishError where one is not there."""
        held = pipelines(self._client) if self._pipelines else []
        found = {
            title: only("pipeline", title, [each for each in held if each["title"] == title])
            for title in self._pipelines or []
        }
        missing = [title for title, pipeline in found.items() if pipeline is None]
        if missing:
            raise WishError(
                f"The stream {self.name!r} shall go through the pipelines {', '.join(missing)}, which are not there: "
                "make them first"
            )
        return [pipeline["id"] for pipeline in found.values()]

    def _connect(self, stream_id: str, pipeline_ids: list[str]) -> None:
        self._client.request("POST", f"{CONNECTIONS}/to_stream", {"stream_id": stream_id, "pipeline_ids": pipeline_ids})

    def delete(self, item: dict) -> None:
        """Take it away. Raises WishError for one of Graylog's own."""
        if _own(item):
            raise WishError(f"The stream {item['title']!r} is one of Graylog's own and cannot be deleted")
        self._client.request("DELETE", f"/streams/{item['id']}")


def _own(item: dict) -> bool:
    return item["id"].startswith(OWN)
