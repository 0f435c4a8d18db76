"""Filters for certificates and private keys."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

from ansible.errors import AnsibleFilterError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def certificate_days_left(pem: str) -> int:
    """Return the days until a certificate expires, negative after its expiry.

    ``pem`` is a PEM text, of which the first certificate counts. Raises AnsibleFilterError if it is no certificate.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise AnsibleFilterError(
            f"the text is not a PEM certificate: {error}; check the file it was read from"
        ) from error
    return (certificate.not_valid_after_utc - datetime.now(UTC)).days


def private_key_opens(pem: str, passphrase: str) -> bool:
    """Return whether ``pem`` is a private key that is encrypted with ``passphrase``."""
    try:
        load_pem_private_key(pem.encode(), passphrase.encode())
    except (TypeError, ValueError):
        return False
    return True


def subject_alt_names(names: list[str]) -> list[str]:
    """Return subject alternative names ("DNS:name", "IP:address") without duplicates."""
    return list(dict.fromkeys(_alternative(name) for name in names))


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {
            "certificate_days_left": certificate_days_left,
            "private_key_opens": private_key_opens,
            "subject_alt_names": subject_alt_names,
        }
