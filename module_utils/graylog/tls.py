"""Verify the certificate that an input of Graylog serves.

Graylog reports no error for a certificate or key that it cannot read: it serves a self-signed certificate instead.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from .reconcile import DesiredStateError

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Seconds between two handshakes: a running input may need a moment until it accepts connections.
PAUSE = 0.5
# TLS handshake: type of its records, type of the certificate message, bytes of their headers.
HANDSHAKE, CERTIFICATE = 22, 11
RECORD_HEAD, MESSAGE_HEAD = 5, 4


def expected_certificate(path: str) -> bytes | None:
    """Return the first certificate of a PEM file as DER, None for an unreadable file.

    Raises DesiredStateError for a file without a certificate.
    """
    try:
        text = Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    if BEGIN not in text or END not in text:
        raise DesiredStateError(f"{path} has no certificate ({BEGIN}): Graylog would silently serve a self-signed one")
    return ssl.PEM_cert_to_DER_cert(BEGIN + text.split(BEGIN, 1)[1].split(END, 1)[0] + END)


def served_certificate(host: str, port: int, timeout: float) -> bytes:
    """Return the certificate that a port serves, as DER.

    Raises OSError if the port serves none. No authority is consulted: the caller compares the certificate byte for
    byte. An input that requires a client certificate aborts a TLS 1.2 handshake without one, but has sent its own
    certificate by then.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    encrypted = context.wrap_bio(incoming, outgoing)
    read = b""
    with socket.create_connection((host, port), timeout=timeout) as plain:
        try:
            while not _handshake_done(encrypted):
                plain.sendall(outgoing.read())
                received = plain.recv(65536)
                if not received:
                    raise ConnectionError("the connection was closed")
                incoming.write(received)
                read += received
            plain.sendall(outgoing.read())
            return encrypted.getpeercert(binary_form=True)
        except OSError:
            shown = shown_certificate(read)
            if shown is None:
                raise
            return shown


def _handshake_done(encrypted: ssl.SSLObject) -> bool:
    """Advance the handshake and return whether it is complete."""
    try:
        encrypted.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def shown_certificate(read: bytes) -> bytes | None:
    """Return the certificate in a server's handshake bytes, as DER.

    Before TLS 1.3 it is not encrypted.
    """
    messages = b""
    while len(read) > RECORD_HEAD and read[0] == HANDSHAKE:
        end = RECORD_HEAD + int.from_bytes(read[3:RECORD_HEAD], "big")
        messages, read = messages + read[RECORD_HEAD:end], read[end:]
    while messages:
        end = MESSAGE_HEAD + int.from_bytes(messages[1:MESSAGE_HEAD], "big")
        message, messages = messages[:end], messages[end:]
        if message[0] == CERTIFICATE and len(message) == end:
            # The length of all certificates, then that of the first.
            first = message[MESSAGE_HEAD + 3 :]
            return first[3 : 3 + int.from_bytes(first[:3], "big")] or None
    return None


def is_generated(certificate: bytes, bind_address: str) -> bool:
    """Return whether Graylog generated the certificate.

    Graylog names it after address and port, and it is valid until 9999.
    """
    return f"{bind_address}:".encode() in certificate and b"99991231235959Z" in certificate


def reachable_host(bind_address: str, url: str) -> str:
    """Return the host at which an input can be reached.

    An input on all addresses is reached at the host of the node's API.
    """
    try:
        everywhere = ipaddress.ip_address(bind_address).is_unspecified
    except ValueError:  # a name
        everywhere = False
    return urlsplit(url).hostname if everywhere else bind_address


def check_served(title: str, attributes: dict, url: str, timeout: float, clock=time.monotonic, sleep=time.sleep) -> str:
    """Compare an input's certificate; return a warning if this host cannot, else "".

    attributes: the input's settings with Graylog's own keys. url: the node's API, on the same host as the input.
    Raises DesiredStateError if the input serves another certificate, or none, for `timeout` seconds.
    """
    path, port, bind_address = (attributes[key] for key in ("tls_cert_file", "port", "bind_address"))
    expected = expected_certificate(path)
    host = reachable_host(bind_address, url)
    began = clock()
    while True:
        try:
            served = served_certificate(host, port, min(timeout, 10.0))
            if served == expected:
                return ""
            if expected is None and not is_generated(served, bind_address):
                return (
                    f"Input {title!r}: port {port} serves a certificate that Graylog did not generate, but it could "
                    f"not be compared with {path}, because this host cannot read that file"
                )
            reason = "serves another certificate, probably one that Graylog generated"
        except OSError as error:
            reason = f"completes no TLS handshake ({error})"
        if clock() - began >= timeout:
            raise DesiredStateError(
                f"Input {title!r} runs, but {host}:{port} {reason}. Expected is {path}: make sure that Graylog's user "
                "can read it and its key, that the key belongs to it, and that the key is PKCS#8 (BEGIN PRIVATE KEY)"
            )
        sleep(PAUSE)
