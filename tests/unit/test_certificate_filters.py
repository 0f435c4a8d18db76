"""Test the filters for certificates and private keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible.errors import AnsibleFilterError
from certificates import certificate_days_left, private_key_opens, subject_alt_names
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def certificate(days: float) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "host")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
    return signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(("days", "left"), [(10.5, 10), (0.5, 0), (-1.5, -2)])
def test_days_left_are_counted_from_now(days, left):
    assert certificate_days_left(certificate(days)) == left


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_invalid_certificate_is_refused(text):
    with pytest.raises(AnsibleFilterError, match="not a PEM certificate"):
        certificate_days_left(text)


@pytest.mark.parametrize(("protected_by", "opens"), [("one", True), ("another", False), (None, False)])
def test_key_opens_only_with_its_passphrase(protected_by, opens):
    protection = serialization.BestAvailableEncryption(protected_by.encode()) if protected_by else None
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection or serialization.NoEncryption())
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(*form).decode()
    assert private_key_opens(pem, "one") is opens


def test_invalid_key_does_not_open():
    assert private_key_opens("no key", "one") is False


def test_alternative_names_have_their_type():
    names = ["master1", "10.0.0.1", "localhost", "fd00:0::1", "master1"]
    assert subject_alt_names(names) == ["DNS:master1", "IP:10.0.0.1", "DNS:localhost", "IP:fd00::1"]
