"""Which certificate an input of Graylog really serves.

Graylog says nothing of a certificate or key that it cannot read: it runs, and serves a certificate of its own making.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Seconds between two handshakes: an input that runs may need a moment to take connections.
PAUSE = 0.5


class ServedError(Exception):
    """An input that serves no certificate, or another one; its text names the input, the reason and the mend."""


def expected_certificate(path: str) -> bytes | None:
    """Return the first certificate of a PEM file as DER, None where this host has no such file.

    Raises ServedError for a file without a certificate.
    """
    try:
        text = Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    if BEGIN not in text or END not in text:
        raise ServedError(f"{path} has no certificate ({BEGIN}): Graylog would make one of its own and say nothing")
    return ssl.PEM_cert_to_DER_cert(BEGIN + text.split(BEGIN, 1)[1].split(END, 1)[0] + END)


def served_certificate(host: str, port: int, timeout: float) -> bytes:
    """Return the certificate that a port serves, as DER. Raises OSError where it serves none.

    Nobody is trusted here: the certificate is compared with the expected one, byte for byte.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((host, port), timeout=timeout)
    with contextlib.closing(plain), contextlib.closing(context.wrap_socket(plain)) as encrypted:
        return encrypted.getpeercert(binary_form=True)


def reached_at(bind_address: str, url: str) -> str:
    """Return the address at which an input answers: its own, or that of the node's API where it listens on all."""
    try:
        everywhere = ipaddress.ip_address(bind_address).is_unspecified
    except ValueError:  # a name
        everywhere = False
    return urlsplit(url).hostname if everywhere else bind_address


def check_served(title: str, attributes: dict, url: str, timeout: float, clock=time.monotonic, sleep=time.sleep) -> str:
    """Shake hands with an input until it serves its certificate; return a warning where it cannot be compared, or "".

    attributes: the input's settings as the server holds them. url: the node's API, whose host has the input.
    Raises ServedError where it serves another certificate, or none, `timeout` seconds long.
    """
    path, port = attributes["tls_cert_file"], attributes["port"]
    expected = expected_certificate(path)
    if expected is None:
        return (
            f"Input {title!r}: whether port {port} serves {path} was not seen, because this host cannot read that file"
        )
    host = reached_at(attributes["bind_address"], url)
    began = clock()
    while True:
        try:
            if served_certificate(host, port, min(timeout, 10.0)) == expected:
                return ""
            reason = "serves another certificate, probably one of Graylog's own making"
        except OSError as error:
            reason = f"does not shake hands ({error})"
        if clock() - began >= timeout:
            raise ServedError(
                f"Input {title!r} runs, but {host}:{port} {reason}. It should serve {path}: see that Graylog's user "
                "can read it and its key, that the two fit together, and that the key is PKCS#8 (BEGIN PRIVATE KEY)"
            )
        sleep(PAUSE)
