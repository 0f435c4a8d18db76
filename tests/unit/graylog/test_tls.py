"""The certificate that an input serves is the one that it was given, or the module says so."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from module_utils.graylog_tls import ServedError, check_served, expected_certificate

URL = "http://127.0.0.1:9000/api"


def write_certificate(path: Path, name: str) -> Path:
    """Write a self-signed certificate and its key to one file, and return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(names).issuer_name(names).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = builder.not_valid_after(now + datetime.timedelta(hours=1)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@pytest.fixture
def served(tmp_path):
    """A port that serves a certificate: its number, and the certificate's file."""
    path = write_certificate(tmp_path / "served.pem", "input")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
                        encrypted.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], path


def check(port: int, path: Path, bind_address: str = "127.0.0.1") -> str:
    attributes = {"tls_cert_file": str(path), "port": port, "bind_address": bind_address}
    return check_served("Services", attributes, URL, timeout=0.2)


@pytest.mark.parametrize("bind_address", ["::", "127.0.0.1"])
def test_the_right_certificate_is_seen(served, bind_address):
    port, path = served
    assert check(port, path, bind_address) == ""


def test_another_certificate_is_told(served, tmp_path):
    with pytest.raises(ServedError, match=r"'Services' runs, but .* serves another certificate"):
        check(served[0], write_certificate(tmp_path / "other.pem", "input"))


def test_a_port_without_tls_is_told(served):
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(ServedError, match="does not shake hands"):
        check(mute.getsockname()[1], served[1])


def test_a_file_of_another_host_is_a_warning(served, tmp_path):
    assert "cannot read that file" in check(served[0], tmp_path / "nosuch.pem")


def test_a_file_without_a_certificate_is_told(tmp_path):
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----", encoding="ascii")
    with pytest.raises(ServedError, match="has no certificate"):
        expected_certificate(str(tmp_path / "key.pem"))
