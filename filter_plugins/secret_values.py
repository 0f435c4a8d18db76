"""Filter that creates secrets, for playbooks/secrets.yml."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 64  # 380 bits in letters and digits, which need no quoting in configuration files and URLs


def secret_value(_name: str) -> str:
    """Return 64 random letters and digits. The name is ignored."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {"secret_value": secret_value}
