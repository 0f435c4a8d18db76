"""Where webhooks may lead: every address that a name has is looked at, whatever way it is written."""

from __future__ import annotations

import dataclasses
import socket
from typing import Any

import pytest
from raycrafter.config import Webhook

from raycrafter import webhook


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses; what is not among them does not exist."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


INSIDE = """127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255
    198.18.0.1 192.0.2.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1
    64:ff9b::10.0.0.1 2002:7f00:1::1 2001:0:1::1"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_address_that_is_not_public_is_refused(names: dict[str, list[str]], address: str) -> None:
    names["hooks.example.org"] = [address]
    with pytest.raises(webhook.WebhookError, match="public"):
        webhook.resolve("https://hooks.example.org/")


def test_all_addresses_must_be_public(names: dict[str, list[str]]) -> None:
    names["hooks.example.org"] = ["93.184.216.34", "2606:2800:220:1::1"]
    assert webhook.resolve("https://hooks.example.org:8443/x") == "93.184.216.34"
    names["hooks.example.org"].append("10.0.0.1")
    with pytest.raises(webhook.WebhookError):
        webhook.resolve("https://hooks.example.org/")


def test_the_site_allows_networks(names: dict[str, list[str]], settings: Any) -> None:
    names["chat.intern"] = ["10.1.2.3"]
    networks = Webhook(networks=["10.1.0.0/16"])
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, webhook=networks)
    assert webhook.resolve("https://chat.intern/") == "10.1.2.3"
    names["chat.intern"] = ["10.2.2.3"]
    with pytest.raises(webhook.WebhookError):
        webhook.resolve("https://chat.intern/")


def test_error_hides_which_internal_names_exist(names: dict[str, list[str]]) -> None:
    names["database.intern"] = ["10.1.2.3"]
    said = set()
    for host in ("database.intern", "nothing.intern"):
        with pytest.raises(webhook.WebhookError) as refused:
            webhook.resolve(f"https://{host}/")
        said.add(str(refused.value).replace(host, ""))
    assert len(said) == 1


@pytest.mark.parametrize(
    "url", ["http://a.org/", "https:///x", "https://a:b@a.org/", "https://a.org:99999/", "https://[::1", "", "//a.org"]
)
def test_malformed(names: dict[str, list[str]], url: str) -> None:
    names["a.org"] = ["93.184.216.34"]
    with pytest.raises(webhook.WebhookError):
        webhook.resolve(url)
