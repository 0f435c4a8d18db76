"""Create a widget of a dashboard and its search type.

Graylog stores the two separately. Both must match: the frontend derives the search type from the widget only when a
user edits the dashboard.
"""

from __future__ import annotations

import re

from dashboard_releases import Release

# Graylog's name and options of each visualization.
VISUALIZATIONS = {
    "number": ("numeric", {"trend": False, "trend_preference": "NEUTRAL"}),
    "bar": ("bar", {"barmode": "stack"}),
    "line": ("line", {"interpolation": "linear"}),
    "table": ("table", None),
}
FUNCTION = re.compile(r"^(count|card|avg|max|sum)\((\w*)\)$|^(percentile)\((\w+),(\d+)\)$")
MESSAGES = 50


def base(each: dict, release: Release) -> dict:
    """Return the keys that a widget and its search type share."""
    return {
        "filter": None,
        "timerange": release.range(each["seconds"]),
        "query": release.query(each["query"]),
        "streams": [],
    }


def searched_series(name: str, function: str) -> dict:
    """Return a series of a search type. Raises ValueError for an unknown function."""
    found = FUNCTION.match(function)
    if not found:
        raise ValueError(f"{function!r} is unknown: use count(), card, avg, max, sum(field), percentile(field,number)")
    plain, field, _, of, percent = found.groups()
    if plain:
        return {"type": plain, "id": name, "field": field or None}
    return {"type": "percentile", "id": name, "field": of, "percentile": float(percent)}


def searched_group(field: str, each: dict, release: Release) -> dict:
    """Return a group of a search type."""
    if field == "time":
        return {"type": "time", **release.grouped("timestamp"), "interval": {"type": "auto", "scaling": 1.0}}
    if field == "hour":
        return {"type": "time", **release.grouped("timestamp"), "interval": {"type": "timeunit", "timeunit": "1h"}}
    return {"type": "values", **release.grouped(field), **release.limited(each["limit"])}


def shown_group(field: str, each: dict, release: Release) -> dict:
    """Return a group of a widget."""
    if field == "time":
        interval = {"type": "auto", "scaling": 1.0}
        return {"type": "time", **release.grouped("timestamp"), "config": {"interval": interval}}
    if field == "hour":
        interval = {"type": "timeunit", "value": 1, "unit": "hours"}
        return {"type": "time", **release.grouped("timestamp"), "config": {"interval": interval}}
    return {"type": "values", **release.grouped(field), "config": release.limited(each["limit"])}


def order(each: dict) -> list[dict]:
    """Return the sort order: tables by their first series descending, charts by time."""
    if each["show"] != "table":
        return []
    return [{"type": "series", "field": next(iter(each["series"].values())), "direction": "Descending"}]


def search_type(search_id: str, each: dict, release: Release) -> dict:
    """Return the search type of a widget."""
    common = {"id": search_id, **base(each, release)}
    if each["show"] == "messages":
        last_first = [{"field": "timestamp", "order": "DESC"}]
        return {
            **common,
            "type": "messages",
            "name": None,
            "limit": MESSAGES,
            "offset": 0,
            "sort": last_first,
            "decorators": [],
        }
    return {
        **common,
        "type": "pivot",
        "name": "chart",
        "row_groups": [searched_group(field, each, release) for field in each["by"]],
        "column_groups": [searched_group(field, each, release) for field in each["split"]],
        "series": [searched_series(name, function) for name, function in each["series"].items()],
        "sort": order(each),
        "rollup": not each["split"],
    }


def widget(widget_id: str, each: dict, release: Release) -> dict:
    """Return a widget."""
    common = {"id": widget_id, **base(each, release)}
    if each["show"] == "messages":
        last_first = [{"type": "pivot", "field": "timestamp", "direction": "Descending"}]
        config = {"fields": each["fields"], "show_message_row": True, "decorators": [], "sort": last_first}
        return {**common, "type": "messages", "config": config}
    visualization, options = VISUALIZATIONS[each["show"]]
    if each["show"] == "table" and release.row_numbers:
        options = {"pinned_columns": [], "show_row_numbers": False}
    colors = [{"field_name": value, "chart_color": color} for value, color in each["colors"].items()]
    config = {
        "row_pivots": [shown_group(field, each, release) for field in each["by"]],
        "column_pivots": [shown_group(field, each, release) for field in each["split"]],
        "series": [{"function": function, "config": {"name": name}} for name, function in each["series"].items()],
        "sort": order(each),
        "visualization": visualization,
        "visualization_config": options,
        "formatting_settings": {"chart_colors": colors} if colors else None,
        "rollup": not each["split"],
        "event_annotation": False,
    }
    return {**common, "type": "aggregation", "config": config}
