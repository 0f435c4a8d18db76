"""Manage index sets of Graylog: shards, rotation and retention of messages."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from .client import GraylogClient
from .index_strategies import desired_retention, desired_rotation, retention_of, rotation_of, strategies
from .reconcile import DesiredStateError, Resource, only

PATH = "/system/indices/index_sets"
# Settings that are compared and sent unchanged, with the defaults of a new index set.
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
# Settings of later releases, which an update without them would clear.
KEPT = ("field_type_profile", "field_restrictions")


def index_sets(client: GraylogClient) -> list[dict]:
    """Return all index sets."""
    return client.request("GET", f"{PATH}?stats=false")["index_sets"]


class IndexSet(Resource):
    """An index set, known by the prefix of its indices.

    Prefix and analyzer are immutable.

    settings: keys of NEW, `title`, `index_analyzer`, `rotation`, `retention` and `default`; None leaves a setting
    unchanged.
    """

    kind = "index set"

    def __init__(self, client: GraylogClient, prefix: str, settings: dict, delete_indices: bool = False) -> None:
        self.name = prefix
        self._client = client
        self._settings = settings
        self._delete_indices = delete_indices

    def find(self) -> dict | None:
        """Return the index set, or None."""
        same = [item for item in index_sets(self._client) if item["index_prefix"] == self.name]
        return only(self.kind, self.name, same)

    def current(self, item: dict) -> dict:
        """Return all managed settings."""
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

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError for an invalid or conflicting prefix, and for a change of an immutable setting.
        """
        if item is None:
            self._check_prefix()
        defaults = {"title": self.name, **NEW, "index_analyzer": ANALYZER, "default": False}
        current = self.current(item) if item else defaults
        settings = {key: value for key, value in self._settings.items() if value is not None and key in defaults}
        desired = {
            "index_prefix": self.name,
            **current,
            **settings,
            "rotation": desired_rotation(self._settings.get("rotation"), item, self._client.release, self.name),
            "retention": desired_retention(self._settings.get("retention"), item),
        }
        if item and desired["index_analyzer"] != item["index_analyzer"]:
            raise DesiredStateError(
                f"The index set {self.name!r} has the analyzer {item['index_analyzer']!r}, which cannot be changed: "
                "create another index set with another prefix"
            )
        self._check_default(item, desired)
        return desired

    def _check_prefix(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_+-]*", self.name):
            raise DesiredStateError(
                f"{self.name!r} is not a prefix of an index set: it must begin with a lower-case letter or a digit and "
                "continue with lower-case letters, digits, _, + and -"
            )
        for item in index_sets(self._client):
            other = item["index_prefix"]
            if other.startswith(self.name) or self.name.startswith(other):
                raise DesiredStateError(
                    f"The prefix {self.name!r} conflicts with {other!r} of the index set {item['title']!r}: no prefix "
                    "may begin with another one. Choose a prefix that begins differently"
                )

    def _check_default(self, item: dict | None, desired: dict) -> None:
        if desired["default"] and not desired["writable"]:
            raise DesiredStateError(
                f"The index set {self.name!r} cannot be the default and not writable: change one of the two"
            )
        if item and item["default"] and not desired["default"]:
            raise DesiredStateError(
                f"The index set {self.name!r} is the default, which Graylog always needs: set default on another one"
            )
        if item and desired["default"] and not item.get("can_be_default", True):
            raise DesiredStateError(
                f"The index set {self.name!r} is reserved for Graylog and cannot be the default: choose another one"
            )

    def create(self) -> None:
        """Create the index set."""
        desired = self.desired(None)
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            **self._body(desired, None),
            "index_prefix": self.name,
            "index_analyzer": desired["index_analyzer"],
            "creation_date": now,
        }
        item = self._client.request("POST", PATH, body)
        self._set_default(item, desired)

    def update(self, item: dict) -> None:
        """Write the desired settings."""
        desired = self.desired(item)
        kept = {key: item[key] for key in KEPT if key in item}
        self._client.request("PUT", f"{PATH}/{item['id']}", {"id": item["id"], **self._body(desired, item), **kept})
        self._set_default(item, desired)

    def _body(self, desired: dict, item: dict | None) -> dict:
        rotation_and_retention = strategies(desired["rotation"], desired["retention"], item, self._client.release)
        return {"title": desired["title"], **{key: desired[key] for key in NEW}, **rotation_and_retention}

    def _set_default(self, item: dict, desired: dict) -> None:
        if desired["default"] and not item["default"]:
            self._client.request("PUT", f"{PATH}/{item['id']}/default")

    def delete(self, item: dict) -> None:
        """Delete the index set.

        Raises DesiredStateError for the default one, and if streams still use it.
        """
        if item["default"]:
            raise DesiredStateError(f"The index set {self.name!r} is the default: set default on another one first")
        streams = self._client.request("GET", "/streams")["streams"]
        users = sorted(stream["title"] for stream in streams if stream.get("index_set_id") == item["id"])
        if users:
            raise DesiredStateError(
                f"The index set {self.name!r} is used by the streams {', '.join(users)}: give them another index set, "
                "or delete them first"
            )
        self._client.request("DELETE", f"{PATH}/{item['id']}?delete_indices={str(self._delete_indices).lower()}")
