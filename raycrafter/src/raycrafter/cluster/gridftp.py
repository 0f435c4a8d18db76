"""Files to and from the cluster by globus-url-copy, resumable, with the proxy looked at first.

An expired proxy fails in ways that look like a broken network, so its lifetime is read before every transfer and is an
error of its own.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from . import transfer
from .batch import process
from .errors import CredentialError
from .transfer import Files

MIN_LIFETIME = 300  # seconds a proxy must last for a transfer to be begun
# Retries within a run, so that a short interruption costs no new connection for the files already there.
_RESTART = ["-rst", "-rst-retries", "2", "-rst-interval", "2", "-stall-timeout", "60"]
_PUSH = ["-p", "4"]
# One stream: with more, GridFTP has the sender connect, and nothing may connect to a worker.
_PULL = ["-c"]  # goes on after a file that is missing


def proxy_lifetime(proxy: str) -> int:
    """Seconds that the proxy certificate is still valid; negative when it is over. Raises CredentialError."""
    fix = "start raycrafter-grid-proxy.service on the worker and read its log"
    if not Path(proxy).is_file():
        raise CredentialError(f"there is no grid proxy at {proxy}; {fix}")
    answer = process.run(["openssl", "x509", "-noout", "-enddate", "-in", proxy], timeout=10)
    found = re.match(r"notAfter=(.*)", answer.stdout)
    if answer.code != 0 or not found:
        raise CredentialError(f"the grid proxy {proxy} cannot be read: {answer.stderr.strip()[:200]}; {fix}")
    return int(ssl.cert_time_to_seconds(found[1]) - time.time())


class GridFtp:
    """A GridFTP server; ``url`` is like ``gsiftp://host:2811``."""

    def __init__(self, url: str, proxy: str) -> None:
        """``proxy`` is the file with the proxy certificate and its key."""
        self._url = url.rstrip("/")
        self._proxy = proxy

    def push(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """See ``transfer.Adapter``. Raises as ``_copy`` does."""
        self._copy([(self._here(files, name), self._there(files, name)) for name in files.names], state, tick, *_PUSH)

    def pull(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """See ``transfer.Adapter``. Raises as ``_copy`` does."""
        self._copy([(self._there(files, name), self._here(files, name)) for name in files.names], state, tick, *_PULL)

    def _copy(self, pairs: Sequence[tuple[str, str]], state: Path, tick: Callable[[], None], *options: str) -> None:
        """Copies what ``pairs`` of addresses name. ``state`` keeps what is left to do.

        Raises CredentialError before anything is tried, TransferError when not everything was copied.
        """
        left = proxy_lifetime(self._proxy)
        if left < MIN_LIFETIME:
            raise CredentialError(
                f"the grid proxy {self._proxy} is valid for {max(left, 0)} more seconds, {MIN_LIFETIME} are needed; "
                "start raycrafter-grid-proxy.service on the worker and read its log"
            )
        state.mkdir(parents=True, exist_ok=True)
        lines = [f'"{source}" "{target}"\n' for source, target in pairs]
        (state / "pairs").write_text("".join(lines), encoding="ascii")
        rest = state / "rest"
        if rest.exists() and not rest.stat().st_size:
            rest.unlink()  # an empty one would mean that nothing is left to do
        words = ["globus-url-copy", "-cd", *_RESTART, *options, "-df", str(rest), "-f", str(state / "pairs")]
        transfer.run(words, tick, {"X509_USER_PROXY": self._proxy})

    def _here(self, files: Files, name: str) -> str:
        return f"file://{quote(str(files.here / name))}"

    def _there(self, files: Files, name: str) -> str:
        return f"{self._url}{quote(f'{files.there}/{name}')}"
