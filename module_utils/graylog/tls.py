"""Which certificate an input of Graylog really serves.

Graylog says nothing of a certificate or key that it cannot read: it runs, and serves a certificate of its own making.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Seconds between two handshakes: an input that runs may need a moment to take connections.
PAUSE = 0.5
# Of the form of a handshake: the kind of its records, the kind of the message with the certificate, bytes before each.
HANDSHAKE, CERTIFICATE = 22, 11
RECORD_HEAD, MESSAGE_HEAD = 5, 4


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

    Nobody is trusted here: the certificate is compared with the expected one, byte for byte. An input that asks for a
    client's certificate ends a handshake of TLS 1.2 without one, but has shown its own by then.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    encrypted = context.wrap_bio(incoming, outgoing)
    read = b""
    with socket.create_connection((host, port), timeout=timeout) as plain:
        try:
            while not _shakes_hands(encrypted):
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


def _shakes_hands(encrypted: ssl.SSLObject) -> bool:
    """Return whether the handshake is over; otherwise it waits for the other side."""
    try:
        encrypted.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def shown_certificate(read: bytes) -> bytes | None:
    """Return the certificate in the bytes of a server's handshake, as DER: up to TLS 1.2 it is not encrypted."""
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


def is_of_its_own_making(certificate: bytes, bind_address: str) -> bool:
    """Return whether Graylog made the certificate: such a one is called after the address and port, and never ends."""
    return f"{bind_address}:".encode() in certificate and b"99991231235959Z" in certificate


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
    path, port, bind_address = (attributes[key] for key in ("tls_cert_file", "port", "bind_address"))
    expected = expected_certificate(path)
    host = reached_at(bind_address, url)
    began = clock()
    while True:
        try:
            served = served_certificate(host, port, min(timeout, 10.0))
            if served == expected:
                return ""
            if expected is None and not is_of_its_own_making(served, bind_address):
                return (
                    f"Input {title!r}: port {port} serves a certificate that is none of Graylog's making, but whether "
                    f"it is {path} was not seen, because this host cannot read that file"
                )
            reason = "serves another certificate, probably one of Graylog's own making"
        except OSError as error:
            reason = f"does not shake hands ({error})"
        if clock() - began >= timeout:
            raise ServedError(
                f"Input {title!r} runs, but {host}:{port} {reason}. It should serve {path}: see that Graylog's user "
                "can read it and its key, that the two fit together, and that the key is PKCS#8 (BEGIN PRIVATE KEY)"
            )
        sleep(PAUSE)
