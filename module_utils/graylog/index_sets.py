"""Index sets of Graylog: where messages are kept, in how many pieces, and how long."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from .client import GraylogClient
from .index_strategies import retention_of, rotation_of, strategies, wished_retention, wished_rotation
from .reconcile import Resource, WishError, only

PATH = "/system/indices/index_sets"
# Settings that are compared and sent as they are, and what a new index set has where the wish leaves them open.
NEW = {
    "description": "",
    "shards": 1,
    "replicas": 0,
    "index_optimization_max_num_segments": 1,
    "index_optimization_disabled": False,
    "field_type_refresh_interval": 5000,
    "writable": True,
}
ANALYZER = "standard"
# Settings of later releases that an update would clear if it did not name them.
KEPT = ("field_type_profile", "field_restrictions")


def index_sets(client: GraylogClient) -> list[dict]:
    """Return all index sets."""
    return client.request("GET", f"{PATH}?stats=false")["index_sets"]


class IndexSet(Resource):
    """An index set, known by the prefix of its indices, which cannot be changed later, as its analyzer cannot.

    settings: of the keys of NEW, beside `title`, `index_analyzer`, `rotation`, `retention` and `default`; None leaves
    it as it is.
    """

    kind = "index set"

    def __init__(self, client: GraylogClient, prefix: str, settings: dict, delete_indices: bool = False) -> None:
        self.name = prefix
        self._client = client
        self._settings = settings
        self._delete_indices = delete_indices

    def find(self) -> dict | None:
        """Return the index set, None where there is none."""
        return only(self.kind, self.name, [held for held in index_sets(self._client) if self._is(held)])

    def _is(self, held: dict) -> bool:
        return held["index_prefix"] == self.name

    def picture(self, item: dict) -> dict:
        """Return the index set as it is."""
        return {
            "index_prefix": item["index_prefix"],
            "title": item["title"],
            **{key: item.get(key) for key in NEW},
            "description": item.get("description") or "",
            "index_analyzer": item["index_analyzer"],
            "rotation": rotation_of(item),
            "retention": retention_of(item),
            "default": item["default"],
        }

    def wished(self, item: dict | None) -> dict:
        """Return the index set as it shall be.

        Raises WishError where the prefix is taken or no prefix, and for what cannot be changed.
        """
        if item is None:
            self._look_at_prefix()
        start = {"title": self.name, **NEW, "index_analyzer": ANALYZER, "default": False}
        held = self.picture(item) if item else start
        settings = {key: value for key, value in self._settings.items() if value is not None and key in start}
        shall = {
            "index_prefix": self.name,
            **held,
            **settings,
            "rotation": wished_rotation(self._settings.get("rotation"), item, self._client.release, self.name),
            "retention": wished_retention(self._settings.get("retention"), item),
        }
        if item and shall["index_analyzer"] != item["index_analyzer"]:
            raise WishError(
                f"The index set {self.name!r} has the analyzer {item['index_analyzer']!r}, which cannot be changed: "
                "make another index set with another prefix"
            )
        self._look_at_default(item, shall)
        return shall

    def _look_at_prefix(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_+-]*", self.name):
            raise WishError(
                f"{self.name!r} is no prefix of an index set: it begins with a small letter or a digit, and goes on "
                "with small letters, digits, _, + and -"
            )
        for held in index_sets(self._client):
            other = held["index_prefix"]
            if other.startswith(self.name) or self.name.startswith(other):
                raise WishError(
                    f"The prefix {self.name!r} cannot be had beside {other!r} of the index set {held['title']!r}: no "
                    "prefix may begin with another. Choose one that begins differently"
                )

    def _look_at_default(self, item: dict | None, shall: dict) -> None:
        if shall["default"] and not shall["writable"]:
            raise WishError(f"The index set {self.name!r} cannot be the default and not writable")
        if item and item["default"] and not shall["default"]:
            raise WishError(
                f"The index set {self.name!r} is the default one, and there is always one: make another the default"
            )
        if item and shall["default"] and not item.get("can_be_default", True):
            raise WishError(f"The index set {self.name!r} is for Graylog's own use and cannot be the default one")

    def create(self) -> None:
        """Make it."""
        shall = self.wished(None)
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            **self._body(shall, None),
            "index_prefix": self.name,
            "index_analyzer": shall["index_analyzer"],
            "creation_date": now,
        }
        item = self._client.request("POST", PATH, body)
        self._make_default(item, shall)

    def update(self, item: dict) -> None:
        """Change it."""
        shall = self.wished(item)
        kept = {key: item[key] for key in KEPT if key in item}
        self._client.request("PUT", f"{PATH}/{item['id']}", {"id": item["id"], **self._body(shall, item), **kept})
        self._make_default(item, shall)

    def _body(self, shall: dict, item: dict | None) -> dict:
        ways = strategies(shall["rotation"], shall["retention"], item, self._client.release)
        return {"title": shall["title"], **{key: shall[key] for key in NEW}, **ways}

    def _make_default(self, item: dict, shall: dict) -> None:
        if shall["default"] and not item["default"]:
            self._client.request("PUT", f"{PATH}/{item['id']}/default")

    def delete(self, item: dict) -> None:
        """Take it away. Raises WishError for the default one, and where streams still keep their messages in it."""
        if item["default"]:
            raise WishError(f"The index set {self.name!r} is the default one: make another the default before")
        streams = self._client.request("GET", "/streams")["streams"]
        users = sorted(stream["title"] for stream in streams if stream.get("index_set_id") == item["id"])
        if users:
            raise WishError(
                f"The index set {self.name!r} is used by the streams {', '.join(users)}: give them another, or delete "
                "them before"
            )
        self._client.request("DELETE", f"{PATH}/{item['id']}?delete_indices={str(self._delete_indices).lower()}")
