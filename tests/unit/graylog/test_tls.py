"""Test the comparison of the certificate that an input serves."""

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

from module_utils.graylog.reconcile import DesiredStateError
from module_utils.graylog.tls import check_served, expected_certificate, shown_certificate

URL = "http://127.0.0.1:9000/api"


def write_certificate(path: Path, name: str, end: datetime.datetime | None = None) -> Path:
    """Write a self-signed certificate with its key, and return the path.

    end: expiry time, by default in an hour.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(names).issuer_name(names).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = builder.not_valid_after(end or now + datetime.timedelta(hours=1)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@contextlib.contextmanager
def serving(path: Path, client_ca: Path | None = None, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED):
    """Serve a certificate on a local port.

    client_ca: authority of the required client certificates, None to require none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.maximum_version = newest
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
                        encrypted.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        # Ends accept(): a thread that outlives its listener can accept for the next one, which may get its descriptor.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


@pytest.fixture
def served(tmp_path):
    """Return the number of a port that serves a certificate, and its file."""
    path = write_certificate(tmp_path / "served.pem", "input")
    with serving(path) as port:
        yield port, path


def check(port: int, path: Path, bind_address: str = "127.0.0.1") -> str:
    attributes = {"tls_cert_file": str(path), "port": port, "bind_address": bind_address}
    return check_served("Services", attributes, URL, timeout=0.2)


@pytest.mark.parametrize("bind_address", ["::", "127.0.0.1"])
def test_expected_certificate_is_accepted(served, bind_address):
    port, path = served
    assert check(port, path, bind_address) == ""


def test_another_certificate_is_refused(served, tmp_path):
    with pytest.raises(DesiredStateError, match=r"'Services' runs, but .* serves another certificate"):
        check(served[0], write_certificate(tmp_path / "other.pem", "input"))


def test_port_without_tls_is_refused(served):
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(DesiredStateError, match="completes no TLS handshake"),
    ):
        check(mute.getsockname()[1], served[1])


def test_port_without_tls_is_refused_without_local_file(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(DesiredStateError, match="completes no TLS handshake"),
    ):
        check(mute.getsockname()[1], tmp_path / "nosuch.pem")


def test_missing_local_file_causes_warning(served, tmp_path):
    assert "cannot read that file" in check(served[0], tmp_path / "nosuch.pem")


def test_generated_certificate_is_refused_without_local_file(tmp_path):
    """Use a certificate as Graylog generates it: named by address, no expiry."""
    last = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    generated = write_certificate(tmp_path / "made.pem", "127.0.0.1:null", last)
    with serving(generated) as port, pytest.raises(DesiredStateError, match="one that Graylog generated"):
        check(port, tmp_path / "nosuch.pem")


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_certificate_is_read_from_input_with_client_auth(tmp_path, newest):
    path, other = (write_certificate(tmp_path / f"{name}.pem", name) for name in ("input", "other"))
    with serving(path, client_ca=other, newest=newest) as port:
        assert check(port, path) == ""
        with pytest.raises(DesiredStateError, match="serves another certificate"):
            check(port, other)


@pytest.mark.parametrize(
    "read", [b"", b"HTTP/1.1 400 Bad Request", b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\x00\x05\x0b\x00"]
)
def test_bytes_without_certificate_return_none(read):
    assert shown_certificate(read) is None


def test_file_without_certificate_is_refused(tmp_path):
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----", encoding="ascii")
    with pytest.raises(DesiredStateError, match="has no certificate"):
        expected_certificate(str(tmp_path / "key.pem"))
