"""Write the content packs of the dashboards: `dashboards.py [--check]`.

Each major release of Graylog has a pack. roles/graylog/files/dashboards.yml describes the dashboards. With --check the
tool writes nothing and ends with 1 if a pack differs. Ids are derived from the titles, and a pack's revision from its
content, so that a changed pack is installed again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import uuid
from pathlib import Path

import yaml
from dashboard_releases import RELEASES, Release
from dashboard_widgets import search_type, widget

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTION = ROOT / "roles/graylog/files/dashboards.yml"
PACKS = ROOT / "roles/graylog/files/content_packs"
# All releases have the same pack id, so that an upgraded server replaces its revision.
PACK = uuid.UUID("6f1c3c2e-4f5b-5a52-9a37-7d7f6f0a8c11")
COLUMNS = 12


def named(*names: object) -> str:
    """Return the id of an object: a UUID derived from its names."""
    return str(uuid.uuid5(PACK, "/".join(map(str, names))))


def text(value: str) -> dict:
    """Return a string in the format of content packs, which also allow parameters."""
    return {"@type": "string", "@value": value}


def placed(dashboard: dict) -> list[tuple[dict, dict]]:
    """Return each widget's description with its position.

    Raises ValueError for a row that is not full and for a duplicate title.
    """
    found, top = [], 1
    for row in dashboard["rows"]:
        left = 1
        for each in row["widgets"]:
            found.append((each, {"col": left, "row": top, "width": each["width"], "height": row["height"]}))
            left += each["width"]
        if left != COLUMNS + 1:
            titles = ", ".join(each["title"] for each in row["widgets"])
            raise ValueError(f"{dashboard['title']}: the widths of {titles} add up to {left - 1}, not {COLUMNS}")
        top += row["height"]
    if len({each["title"] for each, _ in found}) != len(found):
        raise ValueError(f"{dashboard['title']}: two widgets have the same title")
    return found


def full(each: dict, dashboard: dict) -> dict:
    """Return a widget's description with the dashboard's query and time range."""
    queries = [query for query in (dashboard.get("query"), each.get("query")) if query]
    query = queries[0] if len(queries) == 1 else " AND ".join(f"({query})" for query in queries)
    seconds = each["minutes"] * 60 if "minutes" in each else dashboard["hours"] * 3600
    return {"by": [], "split": [], "limit": 10, "colors": {}, **each, "query": query, "seconds": seconds}


def entity(dashboard: dict, release: Release) -> dict:
    """Return a dashboard as an entity of a content pack: searches and widgets."""
    title = dashboard["title"]
    query_id = named(title, "query")
    widgets, searches, mapping, positions, titles = [], [], {}, {}, {}
    for each, position in placed(dashboard):
        widget_id = named(title, each["title"])
        search_id = named(title, each["title"], "search")
        widgets.append(widget(widget_id, full(each, dashboard), release))
        searches.append(search_type(search_id, full(each, dashboard), release))
        mapping[widget_id] = [search_id]
        positions[widget_id] = position
        titles[widget_id] = each["title"]
    query = {"id": query_id, "query": release.query(""), "timerange": release.range(dashboard["hours"] * 3600)}
    state = {
        "selected_fields": None,
        "static_message_list_id": None,
        "titles": {"widget": titles, "tab": {"title": title}},
        "widgets": widgets,
        "widget_mapping": mapping,
        "positions": positions,
        "formatting": {"highlighting": []},
        "display_mode_settings": {"positions": {}},
    }
    return {
        "v": "1",
        "type": {"name": "dashboard", "version": "2"},
        "id": named(title),
        "data": {
            "type": "DASHBOARD",
            "title": text(title),
            "summary": text(dashboard["summary"]),
            "description": text(""),
            "search": {"queries": [{**query, "search_types": searches}], "parameters": [], "requires": {}},
            "properties": [],
            "requires": {},
            "state": {query_id: state},
        },
        "constraints": [{"type": "server-version", "version": f">={release.since}"}],
    }


def pack(dashboards: list[dict], release: Release) -> dict:
    """Return the content pack of a release."""
    entities = [entity(dashboard, release) for dashboard in dashboards]
    digest = hashlib.sha256(json.dumps(entities, sort_keys=True).encode()).hexdigest()
    return {
        "v": "1",
        "id": str(PACK),
        "rev": int(digest[:7], 16),  # Graylog requires an integer of 31 bits
        "name": "RayCrafter dashboards",
        "summary": "What a render service's operators look at",
        "description": "Made by tools/dashboards.py from roles/graylog/files/dashboards.yml",
        "vendor": "RayCrafter",
        "url": "",
        "parameters": [],
        "entities": entities,
    }


def main() -> int:
    """Write or check the packs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 if a pack differs")
    check = parser.parse_args().check
    dashboards = yaml.safe_load(DESCRIPTION.read_text())
    stale = 0
    for release in RELEASES:
        path = PACKS / f"dashboards-{release.major}.json"
        expected = json.dumps(pack(dashboards, release), indent=1) + "\n"
        if not check:
            path.write_text(expected)
        elif not path.exists() or path.read_text() != expected:
            print(f"{path.relative_to(ROOT)} differs from {DESCRIPTION.relative_to(ROOT)}: run make docs")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
