"""What can go wrong on the way to the cluster, sorted by what to do about it."""

from __future__ import annotations


class InfrastructureError(Exception):
    """The way to the cluster is not passable now. It pauses work and never fails a job."""


class SshError(InfrastructureError):
    """No ssh connection: the command was not run, or it is not known whether it was."""


class CredentialError(InfrastructureError):
    """The grid proxy is missing, expired or about to."""


class TransferError(InfrastructureError):
    """A transfer of files broke off. ``kind`` is network, credential, quota, permission or missing."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"transfer ({kind}): {text}")
        self.kind = kind


class PollError(InfrastructureError):
    """The batch system gave no answer that can be read. It says nothing about any job."""


class RemoteError(Exception):
    """A command on the cluster ran and refused. ``text`` is its own message."""

    def __init__(self, what: str, code: int, text: str) -> None:
        super().__init__(f"{what} ended with {code}: {text.strip() or 'no message'}")
        self.code = code
        self.text = text.strip()
