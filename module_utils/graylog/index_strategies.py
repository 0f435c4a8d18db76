"""Convert rotation and retention between readable options and Graylog's classes."""

from __future__ import annotations

import re

from .reconcile import DesiredStateError
from .releases import Release

BY_LIFETIME = "time_size_optimizing"
# Strategy -> simple name of its class, and Graylog's own key of each option.
ROTATIONS = {
    "time": ("TimeBasedRotationStrategy", {"period": "rotation_period"}),
    "size": ("SizeBasedRotationStrategy", {"size": "max_size"}),
    "count": ("MessageCountRotationStrategy", {"count": "max_docs_per_index"}),
    BY_LIFETIME: (
        "TimeBasedSizeOptimizingStrategy",
        {"lifetime_min": "index_lifetime_min", "lifetime_max": "index_lifetime_max"},
    ),
}
RETENTIONS = {
    "delete": "DeletionRetentionStrategy",
    "close": "ClosingRetentionStrategy",
    "none": "NoopRetentionStrategy",
}
# Options of the time strategy in later releases, which an update keeps unchanged.
KEPT = ("max_rotation_period", "rotate_empty_index_set")
ROTATION_PACKAGE = "org.graylog2.indexer.rotation.strategies."
RETENTION_PACKAGE = "org.graylog2.indexer.retention.strategies."
# A duration of ISO 8601.
DURATION = r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?"
MAX_INDICES = "max_number_of_indices"

NEW_ROTATION = {"strategy": "time", "period": "P1D"}
NEW_RETENTION = {"strategy": "delete", "max_indices": 20}


def rotation_of(item: dict) -> dict:
    """Return an index set's rotation in readable form.

    A plugin's class is returned by its name, without options.
    """
    if _tiered(item):
        keys, values, strategy = ROTATIONS[BY_LIFETIME][1], item["data_tiering"], BY_LIFETIME
    else:
        class_name = item["rotation_strategy_class"]
        found = [name for name, (simple, _keys) in ROTATIONS.items() if class_name == ROTATION_PACKAGE + simple]
        if not found:
            return {"strategy": class_name}
        strategy = found[0]
        keys, values = ROTATIONS[strategy][1], item["rotation_strategy"]
    return {"strategy": strategy, **{option: values.get(key) for option, key in keys.items()}}


def retention_of(item: dict) -> dict:
    """Return an index set's retention in readable form.

    A plugin's class is returned by its name, without options.
    """
    class_name = item["retention_strategy_class"]
    found = [name for name, simple in RETENTIONS.items() if class_name == RETENTION_PACKAGE + simple]
    if not found:
        return {"strategy": class_name}
    return {"strategy": found[0], "max_indices": item["retention_strategy"].get(MAX_INDICES)}


def desired_rotation(option: dict | None, item: dict | None, release: Release, name: str) -> dict:
    """Return the desired rotation.

    Raises DesiredStateError if the release does not have the strategy, and for an invalid duration.
    """
    if option is None:
        return rotation_of(item) if item else NEW_ROTATION
    strategy = option["strategy"]
    if strategy == BY_LIFETIME and not release.lifetimes:
        raise DesiredStateError(
            f"The index set {name!r} cannot be rotated by {BY_LIFETIME}: only Graylog 5.1 and later have it. "
            "Choose time, size or count"
        )
    desired = {"strategy": strategy, **{key: option[key] for key in ROTATIONS[strategy][1]}}
    for key in ("period", "lifetime_min", "lifetime_max"):
        if key in desired and not re.fullmatch(DURATION, desired[key]):
            raise DesiredStateError(
                f"The {key} {desired[key]!r} of the index set {name!r} is not a duration of ISO 8601: "
                "write P1D for a day, PT1H for an hour"
            )
    return desired


def desired_retention(option: dict | None, item: dict | None) -> dict:
    """Return the desired retention.

    Without max_indices, the current number stays unchanged, and a new index set gets the default.
    """
    current = retention_of(item) if item else NEW_RETENTION
    if option is None:
        return current
    number = option["max_indices"]
    if number is None:
        number = current.get("max_indices") or NEW_RETENTION["max_indices"]
    return {"strategy": option["strategy"], "max_indices": number}


def strategies(rotation: dict, retention: dict, item: dict | None, release: Release) -> dict:
    """Return the request's keys for a desired rotation and a desired retention.

    Lifetimes become data tiers if the release has tiers and old indices are deleted; an index set with lifetimes in
    the older form keeps that form.
    """
    body = {**_rotation(rotation, item), **_retention(retention, item)}
    if not release.tiers:
        return body
    older = item is not None and not _tiered(item) and rotation_of(item)["strategy"] == BY_LIFETIME
    if rotation["strategy"] != BY_LIFETIME or retention["strategy"] != "delete" or older:
        return {**body, "use_legacy_rotation": True}
    tiering = item["data_tiering"] if item and _tiered(item) else {"type": "hot_only"}
    return {**body, "use_legacy_rotation": False, "data_tiering": {**tiering, **_options(rotation)}}


def _tiered(item: dict) -> bool:
    return item.get("use_legacy_rotation") is False and bool(item.get("data_tiering"))


def _options(rotation: dict) -> dict:
    return {name: rotation[option] for option, name in ROTATIONS[rotation["strategy"]][1].items()}


def _rotation(rotation: dict, item: dict | None) -> dict:
    if rotation["strategy"] not in ROTATIONS:
        return {key: item[key] for key in ("rotation_strategy_class", "rotation_strategy")}
    name = ROTATION_PACKAGE + ROTATIONS[rotation["strategy"]][0]
    old = item["rotation_strategy"] if item and item["rotation_strategy_class"] == name else {}
    kept = {key: old[key] for key in KEPT if key in old}
    return {
        "rotation_strategy_class": name,
        "rotation_strategy": {"type": f"{name}Config", **kept, **_options(rotation)},
    }


def _retention(retention: dict, item: dict | None) -> dict:
    if retention["strategy"] not in RETENTIONS:
        return {key: item[key] for key in ("retention_strategy_class", "retention_strategy")}
    name = RETENTION_PACKAGE + RETENTIONS[retention["strategy"]]
    return {
        "retention_strategy_class": name,
        "retention_strategy": {"type": f"{name}Config", MAX_INDICES: retention["max_indices"]},
    }
