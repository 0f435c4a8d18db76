"""What every page must be: tags in order, labels, one heading, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """Checks that tags close in order; collects attributes and ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.attributes if name == tag]


def check_page(answer: Any, status: int = 200) -> tuple[str, Page]:
    """Assert that a page is sound; return its text and structure."""
    assert answer.status_code == status
    html = answer.content.decode()
    page = Page(html)
    assert page.of("html")[0]["lang"] == "en"
    labels = {label["for"] for label in page.of("label")}
    for field in page.of("input") + page.of("select") + page.of("textarea"):
        assert field.get("type") == "hidden" or field["id"] in labels
    ids = [attributes["id"] for _, attributes in page.attributes if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.attributes:
        for name in ("src", "href"):
            value = attributes.get(name) or ""
            assert not re.match(r"(https?:)?//", value) or "graylog" in value, f"{value} is elsewhere"
        assert not [name for name in attributes if name.startswith("on")], "inline script"
        assert "style" not in attributes, "inline style"
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert page.of("main")
    assert html.count("<h1") == 1
    return html, page
