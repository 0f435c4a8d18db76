"""Manage access tokens of Graylog's users, with which programs log in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from .client import GraylogClient
from .reconcile import DesiredStateError, Resource
from .users import find_user, user_path

PERIOD = re.compile(
    r"P(?=[\dT])(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
FOREVER = "9999-12-31T23:59:59Z"
DAYS = {"years": 365, "months": 30, "weeks": 7, "days": 1, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86400}


def period(text: str) -> str:
    """Convert "30" (days) or an ISO duration to an ISO duration.

    Raises DesiredStateError for other texts.
    """
    text = f"P{text}D" if text.isdigit() else text
    if not PERIOD.fullmatch(text):
        raise DesiredStateError(f"{text!r} is not a lifetime: give days, such as 30, or an ISO duration, such as P30D")
    return text


def days_of(text: str) -> float:
    """Return the approximate days of an ISO duration: 30 for a month, 365 for a year."""
    return sum(int(value) * DAYS[unit] for unit, value in PERIOD.fullmatch(text).groupdict().items() if value)


class Token(Resource):
    """A user's tokens of one name.

    Graylog allows several tokens of one name; the longest-lived is compared.
    lifetime: as returned by `period`; None for the server's default. Releases before 6.2 ignore it.
    renew_before: days; a token that expires earlier is replaced. None: no token is replaced.
    value: the new token's secret, None if no token was created.
    """

    kind = "token"

    def __init__(
        self,
        client: GraylogClient,
        user: str,
        name: str,
        lifetime: str | None,
        renew_before: int | None,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self.name = name
        self.value: str | None = None
        self._client = client
        self._user = user
        self._lifetime = lifetime
        self._renew_before = renew_before
        self._now = now
        if lifetime and renew_before is not None and days_of(lifetime) <= renew_before:
            raise DesiredStateError(
                f"The token {name!r} would be replaced in every run: its lifetime {lifetime} is not longer than "
                f"the {renew_before} days of renew_before"
            )

    @property
    def ignores_lifetime(self) -> bool:
        """Whether a lifetime was given that this release ignores."""
        return self._lifetime is not None and not self._client.release.token_lifetime

    def find(self) -> dict | None:
        """Return the longest-lived token, with all of the name under `all`, or None."""
        user = find_user(self._client, self._user)
        listed = self._client.request("GET", f"{user_path(self._client, user)}/tokens")["tokens"] if user else []
        same = [token for token in listed if token["name"] == self.name]
        return {**max(same, key=self._expiry), "all": same} if same else None

    def current(self, item: dict) -> dict:
        """Return user, name, and whether the token expires too soon."""
        due = self._expiry(item) < self._now() + timedelta(days=self._renew_before or 0)
        return {"user": self._user, "name": self.name, "ends": "too soon" if self._renews() and due else "late enough"}

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings."""
        return {"user": self._user, "name": self.name, "ends": "late enough"}

    def create(self) -> None:
        """Create a token and keep its value."""
        user = find_user(self._client, self._user)
        if user is None:
            raise DesiredStateError(
                f"The user {self._user!r} of the token {self.name!r} does not exist: create the user first"
            )
        # Before 6.2 the server ignores the body but requires one.
        body = {}
        if self._client.release.token_lifetime:
            body = {"token_ttl": self._lifetime} if self._lifetime else None
        path = f"{user_path(self._client, user)}/tokens/{quote(self.name, safe='')}"
        self.value = self._client.request("POST", path, body)["token"]

    def update(self, item: dict) -> None:
        """Create a new token, then delete the old ones."""
        self.create()
        self.delete(item)

    def delete(self, item: dict) -> None:
        """Delete all tokens of the name."""
        path = user_path(self._client, find_user(self._client, self._user))
        for token in item["all"]:
            self._client.request("DELETE", f"{path}/tokens/{quote(token.get('id') or token['token'], safe='')}")

    def _renews(self) -> bool:
        return self._renew_before is not None

    @staticmethod
    def _expiry(token: dict) -> datetime:
        expires = token.get("expires_at")
        # Python before 3.11 does not parse the letter Z.
        return datetime.fromisoformat((expires or FOREVER).replace("Z", "+00:00"))
