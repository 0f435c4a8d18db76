"""When an index set begins a new index, and what becomes of the old ones: a person's words and Graylog's classes."""

from __future__ import annotations

import re

from .reconcile import WishError
from .releases import Release

BY_LIFETIME = "time_size_optimizing"
# Strategy -> the beginning of its classes' names, and Graylog's own name of each option.
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
# Options of the time strategy that later releases have, and that are kept as they are.
KEPT = ("max_rotation_period", "rotate_empty_index_set")
ROTATION_PACKAGE = "org.graylog2.indexer.rotation.strategies."
RETENTION_PACKAGE = "org.graylog2.indexer.retention.strategies."
# A length of time in ISO 8601.
TIME = r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?"
MAX_INDICES = "max_number_of_indices"

NEW_ROTATION = {"strategy": "time", "period": "P1D"}
NEW_RETENTION = {"strategy": "delete", "max_indices": 20}


def rotation_of(item: dict) -> dict:
    """Return an index set's rotation in a person's words; a class of a plugin under its own name, without options."""
    if _tiered(item):
        names, held, strategy = ROTATIONS[BY_LIFETIME][1], item["data_tiering"], BY_LIFETIME
    else:
        class_name = item["rotation_strategy_class"]
        found = [name for name, (simple, _names) in ROTATIONS.items() if class_name == ROTATION_PACKAGE + simple]
        if not found:
            return {"strategy": class_name}
        strategy = found[0]
        names, held = ROTATIONS[strategy][1], item["rotation_strategy"]
    return {"strategy": strategy, **{option: held.get(name) for option, name in names.items()}}


def retention_of(item: dict) -> dict:
    """Return an index set's retention in a person's words; a class of a plugin under its own name, without options."""
    class_name = item["retention_strategy_class"]
    found = [name for name, simple in RETENTIONS.items() if class_name == RETENTION_PACKAGE + simple]
    if not found:
        return {"strategy": class_name}
    return {"strategy": found[0], "max_indices": item["retention_strategy"].get(MAX_INDICES)}


def wished_rotation(wish: dict | None, item: dict | None, release: Release, name: str) -> dict:
    """Return the rotation as it shall be.

    Raises WishError where the release does not have it, or where a time is none.
    """
    if wish is None:
        return rotation_of(item) if item else NEW_ROTATION
    strategy = wish["strategy"]
    if strategy == BY_LIFETIME and not release.lifetimes:
        raise WishError(
            f"The index set {name!r} cannot be rotated by {BY_LIFETIME}: only Graylog 5.1 and later can. "
            "Choose time, size or count"
        )
    shall = {"strategy": strategy, **{option: wish[option] for option in ROTATIONS[strategy][1]}}
    for option in ("period", "lifetime_min", "lifetime_max"):
        if option in shall and not re.fullmatch(TIME, shall[option]):
            raise WishError(
                f"The {option} {shall[option]!r} of the index set {name!r} is no time of ISO 8601: "
                "write P1D for a day, PT1H for an hour"
            )
    return shall


def wished_retention(wish: dict | None, item: dict | None) -> dict:
    """Return the retention as it shall be; a number of indices left open stays, or is Graylog's own for a new one."""
    held = retention_of(item) if item else NEW_RETENTION
    if wish is None:
        return held
    number = wish["max_indices"]
    if number is None:
        number = held.get("max_indices") or NEW_RETENTION["max_indices"]
    return {"strategy": wish["strategy"], "max_indices": number}


def strategies(rotation: dict, retention: dict, item: dict | None, release: Release) -> dict:
    """Return the keys of a request's body that say rotation and retention, for what the two functions above gave.

    Lifetimes are kept by tiers where the release has them and old indices are to be deleted; a set that has them in
    the older form keeps that.
    """
    body = {**_rotation(rotation, item), **_retention(retention, item)}
    if not release.tiers:
        return body
    older = item is not None and not _tiered(item) and rotation_of(item)["strategy"] == BY_LIFETIME
    if rotation["strategy"] != BY_LIFETIME or retention["strategy"] != "delete" or older:
        return {**body, "use_legacy_rotation": True}
    held = item["data_tiering"] if item and _tiered(item) else {"type": "hot_only"}
    return {**body, "use_legacy_rotation": False, "data_tiering": {**held, **_options(rotation)}}


def _tiered(item: dict) -> bool:
    return item.get("use_legacy_rotation") is False and bool(item.get("data_tiering"))


def _options(rotation: dict) -> dict:
    return {name: rotation[option] for option, name in ROTATIONS[rotation["strategy"]][1].items()}


def _rotation(rotation: dict, item: dict | None) -> dict:
    if rotation["strategy"] not in ROTATIONS:
        return {key: item[key] for key in ("rotation_strategy_class", "rotation_strategy")}
    name = ROTATION_PACKAGE + ROTATIONS[rotation["strategy"]][0]
    held = item["rotation_strategy"] if item and item["rotation_strategy_class"] == name else {}
    kept = {key: held[key] for key in KEPT if key in held}
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
