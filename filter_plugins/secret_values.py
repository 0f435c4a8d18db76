"""A new secret, for playbooks/secrets.yml."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 64  # letters and digits: 380 bits, and safe in every configuration file and address


def secret_value(_name: str) -> str:
    """Return a random text of 64 letters and digits; the name is only what it is made for."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {"secret_value": secret_value}
