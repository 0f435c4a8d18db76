"""Try an input of Graylog over TLS: whose certificate it serves, and whom it lets in.

Usage: try_tls.py ADDRESS PORT CA SERVER_CERT CLIENT_CERT CLIENT_KEY [MESSAGE]
Prints one JSON object: protocol, whether the served certificate is SERVER_CERT, and why a client with CLIENT_CERT and
one without any certificate were refused (null where they were let in). The first sends MESSAGE, as one GELF frame.
"""

import contextlib
import json
import os
import socket
import ssl
import sys
from pathlib import Path

TIMEOUT = 15  # seconds for each step


def first_certificate(path: str) -> bytes:
    """Return the first certificate of a PEM file, as DER."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = Path(path).read_text(encoding="ascii")
    return ssl.PEM_cert_to_DER_cert(begin + text.split(begin, 1)[1].split(end, 1)[0] + end)


def attempt(address: tuple, context: ssl.SSLContext, message: str = "") -> dict:
    """Shake hands, send the message, say that this was all and read until the end.

    With TLS 1.3 a client learns that it was refused only after the handshake, by reading.
    """
    seen = {"refused": None}
    with socket.create_connection(address, timeout=TIMEOUT) as plain:
        try:
            with context.wrap_socket(plain) as encrypted:
                seen["protocol"] = encrypted.version()
                seen["certificate"] = encrypted.getpeercert(binary_form=True)
                if message:
                    encrypted.sendall(message.encode() + b"\0")
                with socket.socket(fileno=os.dup(encrypted.fileno())) as same:
                    same.shutdown(socket.SHUT_WR)
                # Newer OpenSSL answers what it reads last, though this side is shut: that is no word of the server's.
                with contextlib.suppress(BrokenPipeError):
                    encrypted.recv(1)
        except ssl.SSLCertVerificationError:
            raise
        except (ssl.SSLError, ConnectionError) as error:
            seen["refused"] = str(error)
    return seen


def trust(ca: str) -> ssl.SSLContext:
    """Return a client's context that trusts one authority. The certificate itself is compared, so its names are not."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    return context


def main(
    address: str, port: str, ca: str, server_cert: str, client_cert: str, client_key: str, message: str = ""
) -> None:
    """Try both clients and print what they saw."""
    target = (address, int(port))
    known = trust(ca)
    known.load_cert_chain(client_cert, client_key)
    with_certificate = attempt(target, known, message)
    without = attempt(target, trust(ca))
    answer = {
        "protocol": with_certificate.get("protocol"),
        "serves_its_certificate": with_certificate.get("certificate") == first_certificate(server_cert),
        "refused": with_certificate["refused"],
        "refused_without_certificate": without["refused"],
    }
    print(json.dumps(answer))


main(*sys.argv[1:])
