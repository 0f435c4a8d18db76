"""Serve /system/indices/index_sets."""

from __future__ import annotations

import re

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import (
    ANY,
    BOOL,
    MAP,
    TEXT,
    WHOLE,
    RefusedError,
    Shape,
    always,
    fit,
    needed,
    optional,
    unknown_key,
)

ROTATION = "org.graylog2.indexer.rotation.strategies"
RETENTION = "org.graylog2.indexer.retention.strategies"
LIFETIME = {"index_lifetime_min": "P30D", "index_lifetime_max": "P40D"}
BY_LIFETIME = f"{ROTATION}.TimeBasedSizeOptimizingStrategyConfig"
# Class of a strategy's settings: required keys, then optional keys.
STRATEGIES = {
    f"{ROTATION}.MessageCountRotationStrategyConfig": (["max_docs_per_index"], []),
    f"{ROTATION}.SizeBasedRotationStrategyConfig": (["max_size"], []),
    f"{ROTATION}.TimeBasedRotationStrategyConfig": (
        ["rotation_period"],
        ["max_rotation_period", "rotate_empty_index_set"],
    ),
    BY_LIFETIME: (list(LIFETIME), []),
    f"{RETENTION}.DeletionRetentionStrategyConfig": (["max_number_of_indices"], []),
    f"{RETENTION}.ClosingRetentionStrategyConfig": (["max_number_of_indices"], []),
    f"{RETENTION}.NoopRetentionStrategyConfig": (["max_number_of_indices"], []),
}
RESOURCES = "org.graylog2.rest.resources.system.indexer"
SETTINGS = {
    "title": needed(TEXT),
    "description": optional(TEXT),
    "writable": optional(BOOL),
    "shards": needed(WHOLE),
    "replicas": needed(WHOLE),
    "rotation_strategy_class": needed(TEXT),
    "rotation_strategy": needed(MAP),
    "retention_strategy_class": needed(TEXT),
    "retention_strategy": needed(MAP),
    "index_optimization_max_num_segments": needed(WHOLE),
    "index_optimization_disabled": optional(BOOL),
    "field_type_refresh_interval": needed(WHOLE),
    "data_tiering": optional(MAP, since=(6, 1)),
    "use_legacy_rotation": optional(BOOL, since=(6, 1)),
    "field_type_profile": optional(TEXT, since=(6, 0)),
    "index_set_template_id": optional(TEXT, since=(7, 0)),
    "field_restrictions": optional(ANY, since=(7, 0)),
}
OLD_CREATE = Shape(
    f"{RESOURCES}.responses.IndexSetSummary",
    {
        "id": optional(TEXT),
        **SETTINGS,
        "default": optional(BOOL),
        "can_be_default": optional(BOOL),
        "index_prefix": needed(TEXT),
        "creation_date": needed(TEXT, until=(4, 0)),
        "index_analyzer": needed(TEXT),
        "index_template_type": optional(TEXT),
    },
)
# Since 4.0 the server sets a missing date.
CREATION_DATE = {"creation_date": optional(TEXT, since=(4, 0))}
NEW_CREATE = Shape(
    f"{RESOURCES}.requests.IndexSetCreationRequest",
    {
        **SETTINGS,
        "index_prefix": needed(TEXT),
        "creation_date": optional(TEXT),
        "index_analyzer": optional(TEXT),
        "index_template_type": optional(TEXT),
    },
    builder=True,
)
OLD_UPDATE = Shape(f"{RESOURCES}.requests.IndexSetUpdateRequest", SETTINGS, lenient=always)
NEW_UPDATE = Shape(f"{RESOURCES}.requests.IndexSetUpdateRequest", {"id": needed(TEXT), **SETTINGS}, True, always)
# Keys of an answer with their defaults.
SHOWN = {
    **{key: value for key, value in SETTINGS.items() if key != "index_set_template_id"},
    **{key: optional(TEXT) for key in ("index_prefix", "index_analyzer", "index_template_type", "creation_date")},
}
BLANK = {
    "index_analyzer": "standard",
    "index_template_type": None,
    "data_tiering": None,
    "use_legacy_rotation": True,
    "field_type_profile": None,
    "field_restrictions": None,
}
STATISTICS = {"indices": 1, "documents": 0, "size": 0}


# not recorded: all refusals but of a prefix; form: IndexSetsResource.java, IndexSetValidator.java; of one in use: none
class IndexSets(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}
        self.default = self._add(self._seed("Default index set", "The default index set", "graylog"), True)
        events = "Stores events created by event definitions."
        self.events = self._add(self._seed("Events", events, "gl-events", "events"), False)
        system = "Stores events created by and related to the system itself."
        self.system_events = self._add(self._seed("System Events", system, "gl-system-events", "events"), False)

    def _seed(self, title: str, description: str, prefix: str, template: str | None = None) -> dict:
        by_lifetime = self.release.has("data tiering")
        rotation = "TimeBasedSizeOptimizingStrategy" if by_lifetime else "MessageCountRotationStrategy"
        return {
            "title": title,
            "description": description,
            "index_prefix": prefix,
            "shards": 1,
            "replicas": 0,
            "rotation_strategy_class": f"{ROTATION}.{rotation}",
            "rotation_strategy": {
                "type": f"{ROTATION}.{rotation}Config",
                **(LIFETIME if by_lifetime else {"max_docs_per_index": 20000000}),
            },
            "retention_strategy_class": f"{RETENTION}.DeletionRetentionStrategy",
            "retention_strategy": {
                "type": f"{RETENTION}.DeletionRetentionStrategyConfig",
                "max_number_of_indices": 20,
            },
            "data_tiering": {"type": "hot_only", **LIFETIME},
            "use_legacy_rotation": False,
            "index_analyzer": "standard",
            "index_optimization_max_num_segments": 1,
            "index_optimization_disabled": False,
            "field_type_refresh_interval": 5000,
            "index_template_type": template,
            "writable": True,
        }

    def _add(self, given: dict, can_be_default: bool) -> str:
        shown = {name for name, key in SHOWN.items() if self.release.within(key.since, key.until)}
        blank = {"description": None, "writable": False, "index_optimization_disabled": False, **BLANK}
        item = {**blank, **{key: value for key, value in given.items() if value is not None}}
        item = {key: value for key, value in item.items() if key in shown}
        item.setdefault("creation_date", self.api.now())
        item.update(id=self.api.new_id(), can_be_default=can_be_default)
        self.items[item["id"]] = item
        return item["id"]

    def get(self, set_id: str) -> dict:
        if set_id not in self.items:
            raise RefusedError(404, f"Couldn't load index set with ID <{set_id}>")
        return self.items[set_id]

    def shown(self, item: dict) -> dict:
        return {**item, "default": item["id"] == self.default}

    def _check(self, shape: Shape, given: dict) -> None:
        for part in ("rotation_strategy", "retention_strategy"):
            settings = dict(given[part])
            java = settings.pop("type", None)
            late = java == BY_LIFETIME and not self.release.has("index sets by lifetime")
            if late or java not in STRATEGIES or part.split("_")[0] not in java:
                raise RefusedError(400, f"Could not resolve type id '{java}' as a subtype of {part}")
            must, may = STRATEGIES[java]
            for key in settings:
                if key not in [*must, *may]:
                    raise unknown_key(self.release, Shape(java), key, [*must, *may], 1)
            if [key for key in must if settings.get(key) is None]:
                raise RefusedError(400, f"Cannot construct instance of `{java}`: {must[0]} is missing")
        tiered = self.release.has("data tiering") and given.get("use_legacy_rotation", True) is False
        if tiered and not given.get("data_tiering"):
            raise RefusedError(400, "Data tiering configuration is missing: use_legacy_rotation is false.")
        if given["shards"] < 1 or given["replicas"] < 0:
            raise RefusedError(400, "shards must be greater than or equal to 1, replicas to 0")

    @route("GET", "/system/indices/index_sets")
    def list(self, call: Call):
        shown = [self.shown(item) for item in self.items.values()]
        statistics = dict.fromkeys(self.items, STATISTICS) if call.flag("stats", False) else {}
        return 200, {"total": len(shown), "index_sets": shown, "stats": statistics}

    @route("POST", "/system/indices/index_sets")
    def create(self, call: Call):
        shape = NEW_CREATE if self.release.has("default is refused for index sets") else OLD_CREATE
        if shape is OLD_CREATE and self.release.within((4, 0), None):
            shape = Shape(shape.java, {**shape.keys, **CREATION_DATE})
        given = fit(self.release, shape, call.body)
        self._check(shape, given)
        prefix = given["index_prefix"]
        if not re.fullmatch(r"[a-z0-9][a-z0-9_+-]*", prefix):
            raise RefusedError(400, f'index_prefix must match "^[a-z0-9][a-z0-9_+-]*$", is {prefix}')
        for other in (item["index_prefix"] for item in self.items.values()):
            if other == prefix:
                raise RefusedError(400, f"Index prefix '{prefix}' would conflict with an existing index set!")
            if prefix.startswith(other) or other.startswith(prefix):
                raise RefusedError(
                    400, f"Index prefix '{prefix}' would conflict with existing index set prefix '{other}'"
                )
        return 200, self.shown(self.items[self._add(given, True)])

    @route("GET", "/system/indices/index_sets/{set_id}")
    def read(self, call: Call, set_id: str):
        return 200, self.shown(self.get(set_id))

    @route("PUT", "/system/indices/index_sets/{set_id}")
    def update(self, call: Call, set_id: str):
        shape = NEW_UPDATE if self.release.has("index set PUT needs id") else OLD_UPDATE
        given = fit(self.release, shape, call.body)
        if shape is NEW_UPDATE and given["id"] != set_id:
            raise RefusedError(400, "Mismatch of IDs in URI path and payload")
        item = self.get(set_id)
        self._check(shape, given)
        item.update({key: value for key, value in given.items() if key in item and key != "id"})
        return 200, self.shown(item)

    @route("PUT", "/system/indices/index_sets/{set_id}/default")
    def make_default(self, call: Call, set_id: str):
        if not self.get(set_id)["can_be_default"] or not self.items[set_id]["writable"]:
            raise RefusedError(409, "Index set not eligible as default")
        self.default = set_id
        return 200, self.shown(self.items[set_id])

    @route("DELETE", "/system/indices/index_sets/{set_id}")
    def delete(self, call: Call, set_id: str):
        self.get(set_id)
        if set_id == self.default:
            raise RefusedError(400, f"Default index set <{set_id}> cannot be deleted!")
        used = [stream["title"] for stream in self.api.streams.items.values() if stream["index_set_id"] == set_id]
        if used:
            raise RefusedError(400, f"Index set <{set_id}> is still used by streams: {', '.join(used)}")
        del self.items[set_id]
        return 204, None
