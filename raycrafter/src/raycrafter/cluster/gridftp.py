"""Files to and from the cluster by globus-url-copy, resumable, with the proxy looked at first.

An expired proxy fails in ways that look like a broken network, so its lifetime is read before every transfer and is an
error of its own. Percentages come from file sizes, never from the tool's output.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from . import batch_process
from .errors import CredentialError, TransferError

MIN_LIFETIME = 300  # seconds a proxy must last for a transfer to be begun
TIME_LIMIT = 1500.0  # seconds for one run; a longer transfer goes on in the next one, where this one stopped
STREAMS = 4
# Retries within a run, so that a short interruption costs no new connection for the files already there.
_RESTART = ["-rst", "-rst-retries", "2", "-rst-interval", "2", "-stall-timeout", "60"]

_KINDS = (
    ("credential", r"credential|proxy|certificate|GSS|authenticat|authoriz|gridmap"),
    ("quota", r"quota|No space left"),
    ("permission", r"Permission denied"),
    ("missing", r"No such file|does not exist|not found on (the )?server"),
)


@dataclass(frozen=True)
class Pair:
    """A file here and its absolute path on the cluster."""

    local: Path
    remote: str


def proxy_lifetime(proxy: str) -> int:
    """Seconds that the proxy certificate is still valid; negative when it is over. Raises CredentialError."""
    mend = "start raycrafter-grid-proxy.service on the worker and read its log"
    if not Path(proxy).is_file():
        raise CredentialError(f"there is no grid proxy at {proxy}; {mend}")
    answer = batch_process.run(["openssl", "x509", "-noout", "-enddate", "-in", proxy], timeout=10)
    found = re.match(r"notAfter=(.*)", answer.stdout)
    if answer.code != 0 or not found:
        raise CredentialError(f"the grid proxy {proxy} cannot be read: {answer.stderr.strip()[:200]}; {mend}")
    return int(ssl.cert_time_to_seconds(found[1]) - time.time())


class GridFtp:
    """A GridFTP server; ``url`` is like ``gsiftp://host:2811``."""

    def __init__(self, url: str, proxy: str) -> None:
        """``proxy`` is the file with the proxy certificate and its key."""
        self._url = url.rstrip("/")
        self._proxy = proxy

    def push(self, pairs: Sequence[Pair], state: Path) -> None:
        """Sends files, making directories as needed. Raises as ``_copy`` does."""
        lines = [f'"{self._local(pair)}" "{self._remote(pair)}"' for pair in pairs]
        self._copy(lines, state, ["-p", str(STREAMS)])

    def pull(self, pairs: Sequence[Pair], state: Path) -> None:
        """Fetches files; goes on with the others when one is missing, then raises. Raises as ``_copy`` does."""
        # One stream: with more, GridFTP has the sender connect, and nothing may connect to a worker.
        lines = [f'"{self._remote(pair)}" "{self._local(pair)}"' for pair in pairs]
        self._copy(lines, state, ["-c"])

    def _copy(self, lines: Sequence[str], state: Path, options: Sequence[str]) -> None:
        """Copies what ``lines`` name. ``state`` (a directory of this transfer's own) keeps what is left to do, so that
        the same call goes on after an interruption.

        Raises CredentialError before anything is tried, TransferError when not everything was copied.
        """
        left = proxy_lifetime(self._proxy)
        if left < MIN_LIFETIME:
            raise CredentialError(
                f"the grid proxy {self._proxy} is valid for {max(left, 0)} more seconds, {MIN_LIFETIME} are needed; "
                "start raycrafter-grid-proxy.service on the worker and read its log"
            )
        state.mkdir(parents=True, exist_ok=True)
        (state / "pairs").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        rest = state / "rest"
        if rest.exists() and not rest.stat().st_size:
            rest.unlink()  # an empty one would mean that nothing is left to do
        words = ["globus-url-copy", "-cd", *_RESTART, *options, "-df", str(rest), "-f", str(state / "pairs")]
        try:
            result = batch_process.run(words, timeout=TIME_LIMIT, env={"X509_USER_PROXY": self._proxy})
        except batch_process.LimitError as error:
            raise TransferError("network", str(error)) from error
        except OSError as error:
            raise TransferError("network", f"globus-url-copy cannot be started: {error.strerror}") from error
        if result.code != 0:
            text = " ".join((result.stderr or result.stdout).split())
            kind = next((kind for kind, words in _KINDS if re.search(words, text, re.IGNORECASE)), "network")
            raise TransferError(kind, text[:500] or f"globus-url-copy ended with {result.code}")

    def _local(self, pair: Pair) -> str:
        return f"file://{quote(str(pair.local))}"

    def _remote(self, pair: Pair) -> str:
        return f"{self._url}{quote(pair.remote)}"
