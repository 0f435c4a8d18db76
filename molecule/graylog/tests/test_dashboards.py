"""Every dashboard exists, finds the test messages and shows in a browser.

PICTURES=docs/pictures takes the pictures of docs/graylog.md again.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from dashboard_messages import messages
from graylog_nodes import ADDRESSES, SECRET, TLS, ask
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from scenario import PROJECT, connected, deploy, wait_for

NODE = "newer"
API = f"http://{ADDRESSES[NODE]}:9000"
DASHBOARDS = yaml.safe_load((PROJECT / "roles/graylog/files/dashboards.yml").read_text())
TITLES = [each["title"] for each in DASHBOARDS]
# Content of the deployment; the scenario itself has only streams and rules of its own.
PROCESSING = ("index_sets", "pipeline_rules", "pipelines", "streams")
AT_ONCE = 1000  # messages, so that they fit into an argument
SEND = """
import base64, gzip, socket, ssl, sys
host, ca, cert, key, frames = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
context.load_cert_chain(cert, key)
with socket.create_connection((host, 12201), timeout=30) as plain:
    with context.wrap_socket(plain) as encrypted:
        encrypted.sendall(gzip.decompress(base64.b64decode(frames)))
        encrypted.unwrap()
"""
BROWSERS = ("chromium", "google-chrome", "chromium-browser")
MOST = 250_000  # bytes of a picture
PATIENCE = 180_000  # milliseconds that a page may take


def send_all(found: list[dict]) -> None:
    """Send messages over TLS from a node to itself."""
    files = [f"{TLS}/{name}" for name in ("ca.crt", "host.crt", "host.key")]
    for start in range(0, len(found), AT_ONCE):
        frames = b"".join(json.dumps(each).encode() + b"\0" for each in found[start : start + AT_ONCE])
        packed = base64.b64encode(gzip.compress(frames)).decode()
        connected(NODE, sudo=True).check_output("python3 -c" + " %s" * 6, SEND, ADDRESSES[NODE], *files, packed)


def post(path: str, body: dict) -> dict:
    """Return JSON for a POST to the API. Raise httpx.HTTPError if it fails."""
    headers = {"X-Requested-By": "test", "Accept": "application/json"}
    login = ("admin", SECRET.read_text().strip())
    return httpx.post(f"{API}/api/{path}", json=body, headers=headers, auth=login, timeout=60).raise_for_status().json()


def dashboards() -> dict[str, dict]:
    """Return the dashboards by title."""
    return {each["title"]: each for each in ask(NODE, "dashboards")["views"]}


def results(title: str) -> dict[str, dict]:
    """Run a dashboard's search without errors; return the results by widget title."""
    view = dashboards()[title]
    [state] = view["state"].values()
    job = post(f"views/search/{view['search_id']}/execute", {"parameter_bindings": {}})
    answer = wait_for("the search is done", lambda: _ended(job["id"]))
    [query] = answer["results"].values()
    assert not query["errors"]
    found = {}
    for widget, names in state["titles"]["widget"].items():
        [search] = state["widget_mapping"][widget]
        found[names] = query["search_types"][search]
    return found


def _ended(job: str) -> dict | None:
    status = ask(NODE, f"views/search/status/{job}")
    return status if status["execution"]["done"] else None


def number(result: dict) -> float:
    """Return the single value of a result, 0 without rows."""
    values = [value["value"] for row in result["rows"] for value in row["values"]]
    return values[0] if values else 0


@pytest.fixture(scope="module", name="sent")
def fixture_sent() -> list[dict]:
    """Configure the deployment's streams, send a day of messages, await them."""
    content = yaml.safe_load((PROJECT / "group_vars/all/graylog.yml").read_text())
    processing = {f"graylog_{name}_default": content[f"graylog_{name}_default"] for name in PROCESSING}
    deploy("--extra-vars", json.dumps(processing))
    mark = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))
    found = messages(mark)
    send_all(found)
    query = {"query": f"sample:{mark}", "range": 2 * 86400, "limit": 1}
    wait_for(
        "all messages are found",
        lambda: ask(NODE, "search/universal/relative", **query)["total_results"] == len(found),
        300,
        (httpx.HTTPError,),
    )
    return found


def test_each_dashboard_exists_once():
    titles = [each["title"] for each in ask(NODE, "dashboards")["views"]]
    assert sorted(title for title in titles if title in TITLES) == sorted(TITLES)


@pytest.mark.parametrize("title", TITLES)
def test_every_widget_finds_messages(sent, title):
    found = results(title)
    counts = {name: result.get("total", result.get("total_results")) for name, result in found.items()}
    assert set(counts) == {each["title"] for row in _rows(title) for each in row["widgets"]}
    assert all(counts.values()), counts
    # a pivot without rows means that its fields have no values
    empty = [name for name, result in found.items() if result["type"] == "pivot" and not result["rows"]]
    assert not empty


def test_frames_and_seconds_are_counted(sent):
    frames = [each["short_message"] for each in sent if each.get("_kind") == "frame_rendered"]
    shown = results("Render jobs")
    assert number(shown["Frames rendered"]) >= len(frames)
    longest = max(float(text.split()[-2]) for text in frames)
    values = [value for row in shown["Seconds per frame, by job"]["rows"] for value in row["values"]]
    assert max(value["value"] for value in values if value["key"] == ["Longest"]) == pytest.approx(longest)


def _rows(title: str) -> list[dict]:
    [rows] = [each["rows"] for each in DASHBOARDS if each["title"] == title]
    return rows


@pytest.fixture(scope="module", name="page")
def fixture_page() -> Iterator[Page]:
    """Return a browser page with the root user signed in."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, f"no browser is installed: install one of {', '.join(BROWSERS)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        # By default the frontend calls the external address, which does not exist here.
        headers = {"X-Graylog-Server-URL": f"{API}/"}
        context = browser.new_context(viewport={"width": 1500, "height": 1000}, extra_http_headers=headers)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(API)
        page.fill("#username", "admin")
        page.fill("#password", SECRET.read_text().strip())
        page.keyboard.press("Enter")
        expect(page.locator("#password")).to_have_count(0, timeout=PATIENCE)
        yield page
        browser.close()


@pytest.mark.parametrize("title", TITLES)
def test_browser_shows_every_widget(sent, page, tmp_path, title):
    widgets = [widget for row in _rows(title) for widget in row["widgets"]]
    page.goto(f"{API}/dashboards/{dashboards()[title]['id']}")
    shown = page.locator(".react-grid-item")
    expect(shown).to_have_count(len(widgets), timeout=PATIENCE)
    charts = sum(widget["show"] in ("bar", "line") for widget in widgets)
    expect(page.locator(".js-plotly-plot .main-svg .plot :is(.point, .scatter)").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot")).to_have_count(charts, timeout=PATIENCE)
    expect(page.locator(".fa-spinner")).to_have_count(0, timeout=PATIENCE)
    assert "error(s) occurred" not in page.inner_text("body")
    page.set_viewport_size({"width": 1500, "height": 240 + 110 * sum(row["height"] for row in _rows(title))})
    file = Path(os.environ.get("PICTURES") or tmp_path) / f"graylog-{title.lower().replace(' ', '-')}.png"
    page.screenshot(path=file, full_page=True)
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(128).save(file, optimize=True)
    assert file.stat().st_size < MOST
