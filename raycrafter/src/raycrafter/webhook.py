"""Webhooks: messages to addresses that users give, signed and bounded.

Who may choose an address could have the service speak to hosts that only it can reach. So the name is resolved once,
every address must be public or in a network that the site allows, and the connection goes to an address that was looked
at. No redirect is followed and no answer is read.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

import httpx
from django.conf import settings

TIMEOUT = httpx.Timeout(10)  # seconds, per operation on the socket
SIGNATURE = "X-RayCrafter-Signature"
# IPv6 addresses that carry an IPv4 address: what is behind them is not seen from the outside.
_CARRIERS = [
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "2002::/16", "2001::/32", "::/96", "::ffff:0:0/96")
]


class WebhookError(Exception):
    """The address is not one that may be called, or the call did not succeed."""


def _allowed(address: str) -> bool:
    """Whether the service may call this IP address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if any(found in ipaddress.ip_network(network) for network in settings.RAYCRAFTER.webhook.networks):
        return True
    return found.is_global and not found.is_multicast and not any(found in network for network in _CARRIERS)


def resolve(url: str) -> str:
    """Return an IP address at which ``url`` may be called. Raises WebhookError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise WebhookError(f"is not an address: {error}") from error
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        raise WebhookError("must be like https://host/path, without user and password")
    # One answer for what does not exist and what is not public: the service is nobody's way to look around.
    refusal = WebhookError(f"{host} is no name of public addresses only; the site's operators can allow others")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise refusal from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(_allowed(address) for address in addresses):
        raise refusal
    return addresses[0]


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body as it stands in the header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(url: str, body: bytes, secret: str) -> None:
    """Send a signed JSON body. Raises WebhookError unless the answer is a success."""
    address, asked = resolve(url), httpx.URL(url)
    headers = {
        "Host": asked.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "User-Agent": "RayCrafter",
        SIGNATURE: sign(body, secret),
    }
    # The certificate is the name's, although the connection is made to the address.
    extensions = {"sni_hostname": asked.raw_host.decode("ascii")}
    context = ssl.create_default_context()
    try:
        with (
            httpx.Client(verify=context, timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST", asked.copy_with(host=address), content=body, headers=headers, extensions=extensions
            ) as answer,
        ):
            if not answer.is_success:
                raise WebhookError(f"{asked.host} answered {answer.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise WebhookError(f"{asked.host} could not be told: {error}") from error
