"""Encrypt texts with the vault secret that Ansible was started with."""

from __future__ import annotations

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.vault import VaultLib, match_encrypt_secret
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: vault_text
short_description: Encrypt texts with Ansible's own vault secret
description:
  - Returns the content of a vault file for each text. The secret comes from wherever Ansible has it, such as a password
    file, an executable password file, a client script, C(--vault-id) or C(--ask-vault-pass).
options:
  _terms:
    description: Texts to encrypt.
    required: true
"""


class LookupModule(LookupBase):
    """Ansible's way to find the lookup."""

    def run(self, terms: list[str], variables: dict | None = None, **options: object) -> list[str]:
        """Return the encrypted texts. Raises AnsibleLookupError without a vault secret."""
        secrets = self._loader._vault.secrets
        if not secrets:
            raise AnsibleLookupError(
                "no vault secret: set ANSIBLE_VAULT_PASSWORD_FILE to a file (mode 0600) with the vault's password, "
                "or use --vault-id"
            )
        identity, secret = match_encrypt_secret(secrets, encrypt_vault_id=constants.DEFAULT_VAULT_ENCRYPT_IDENTITY)
        return [VaultLib(secrets).encrypt(text, secret, vault_id=identity).decode() for text in terms]
