"""Check mode shows manual changes in Graylog; a deployment reverts them."""

from __future__ import annotations

import json
import secrets

import httpx
from graylog_nodes import ADDRESSES, SECRET, ask, send
from scenario import deploy, wait_for

NODE = "newer"
RULE = "Scenario: frames"


def write(method: str, path: str, body: dict | None = None) -> None:
    """Send a request as the root user, as the web interface does."""
    url = f"http://{ADDRESSES[NODE]}:9000/api/{path}"
    headers = {"X-Requested-By": "test", "Accept": "application/json"}
    login = ("admin", SECRET.read_text().strip())
    httpx.request(method, url, json=body, auth=login, headers=headers, timeout=30).raise_for_status()


def by_title(items: list[dict], title: str) -> dict:
    """Return the item with a title."""
    (found,) = [item for item in items if item["title"] == title]
    return found


def stream() -> dict:
    return by_title(ask(NODE, "streams")["streams"], "Scenario")


def pipeline_rule() -> dict:
    return by_title(ask(NODE, "system/pipelines/rule"), RULE)


def services() -> dict:
    return by_title(ask(NODE, "system/inputs")["inputs"], "Services (GELF over TLS)")


def index_set() -> dict:
    return by_title(ask(NODE, "system/indices/index_sets", stats="false")["index_sets"], "Scenario")


def content() -> dict:
    """Return everything that the test changes, without values that vary between calls."""
    return {
        "rules": sorted((rule["field"], rule["type"], rule["inverted"]) for rule in stream()["rules"]),
        "source": pipeline_rule()["source"].rstrip(),
        "kept": index_set()["retention_strategy"]["max_number_of_indices"],
        "port": services()["attributes"]["port"],
        "paused": stream()["disabled"],
    }


def changed_lines(output: str) -> list[str]:
    """Return the removed and added lines of a diff."""
    lines = [line for line in output.splitlines() if line.startswith(("+", "-")) and line[:3] not in ("+++", "---")]
    return sorted(line[0] + line[1:].strip().rstrip(",") for line in lines)


def test_message_passes_stream_and_rule():
    mark = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))
    send(NODE, NODE, mark, scenario_frame=7)
    query = {"query": f"mark:{mark} AND scenario_seen:yes", "range": 600, "filter": f"streams:{stream()['id']}"}
    wait_for(
        "the stream has the message with the rule's field",
        lambda: ask(NODE, "search/universal/relative", **query)["total_results"] == 1,
        failing=(httpx.HTTPError,),
    )


def test_manual_changes_are_shown_and_reverted():
    before = content()
    rule, old_input, old_index_set = pipeline_rule(), services(), index_set()
    write("DELETE", f"streams/{stream()['id']}/rules/{stream()['rules'][0]['id']}")
    write("POST", f"streams/{stream()['id']}/pause")
    shorter = {**old_index_set["retention_strategy"], "max_number_of_indices": 2}
    settings = {key: value for key, value in old_index_set.items() if key not in ("default", "can_be_default")}
    write("PUT", f"system/indices/index_sets/{old_index_set['id']}", {**settings, "retention_strategy": shorter})
    changed = {key: rule[key] for key in ("title", "description")} | {"source": rule["source"].replace("yes", "no")}
    write("PUT", f"system/pipelines/rule/{rule['id']}", changed)
    body = {key: old_input[key] for key in ("title", "type", "global", "node")}
    write(
        "PUT", f"system/inputs/{old_input['id']}", {**body, "configuration": {**old_input["attributes"], "port": 12299}}
    )
    wait_for("the input has its new port", lambda: services()["attributes"]["port"] == 12299)
    changed_content = content()
    assert [key for key in before if changed_content[key] == before[key]] == []

    shown = changed_lines(deploy("--check", "--diff"))
    assert content() == changed_content
    presence = {"description": "", "field": "scenario_frame", "inverted": False, "type": "presence", "value": ""}
    differences = [
        *('-"max_indices": 2', '+"max_indices": 3'),
        *(f'-"source": {json.dumps(changed_content["source"])}', f'+"source": {json.dumps(before["source"])}'),
        *('-"rules": []', '+"rules": [', "+{", "+}", "+]"),
        *(f"+{json.dumps({key: value})[1:-1]}" for key, value in presence.items()),
        *('-"started": false', '+"started": true'),
        *('-"port": 12299', '+"port": 12201'),
    ]
    assert shown == sorted(differences)
    deploy()
    assert content() == before
