"""Test a TLS input of Graylog: its certificate, and which clients it accepts.

Usage: try_tls.py ADDRESS PORT CA SERVER_CERT CLIENT_CERT CLIENT_KEY [MESSAGE]
Prints a JSON object: protocol, whether the input serves SERVER_CERT, and why it refused a client with CLIENT_CERT and
one without a certificate (null if it accepted the client). The client with CLIENT_CERT sends MESSAGE as one GELF frame.
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
    """Shake hands, send the message, shut down the sending side and read.

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
                # Newer OpenSSL writes during this read although its sending side is shut; that error is harmless.
                with contextlib.suppress(BrokenPipeError):
                    encrypted.recv(1)
        except ssl.SSLCertVerificationError:
            raise
        except (ssl.SSLError, ConnectionError) as error:
            seen["refused"] = str(error)
    return seen


def trust(ca: str) -> ssl.SSLContext:
    """Return a client context that trusts one CA and checks no host name."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    return context


def main(
    address: str, port: str, ca: str, server_cert: str, client_cert: str, client_key: str, message: str = ""
) -> None:
    """Connect with and without a certificate, and print the results."""
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
