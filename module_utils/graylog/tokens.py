"""Tokens of Graylog's users: passwords for programs, known by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from .client import GraylogClient
from .reconcile import Resource, WishError
from .users import find_user, user_path

PERIOD = re.compile(
    r"P(?=[\dT])(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
FOREVER = "9999-12-31T23:59:59Z"
DAYS = {"years": 365, "months": 30, "weeks": 7, "days": 1, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86400}


def period(text: str) -> str:
    """Return a lifetime as Graylog takes it, of "30" days or an ISO duration. Raises WishError for another text."""
    text = f"P{text}D" if text.isdigit() else text
    if not PERIOD.fullmatch(text):
        raise WishError(f"{text!r} is no lifetime: give days, such as 30, or an ISO duration, such as P30D")
    return text


def days_of(text: str) -> float:
    """Return about how many days an ISO duration has: a month counts as 30 days, a year as 365."""
    return sum(int(value) * DAYS[unit] for unit, value in PERIOD.fullmatch(text).groupdict().items() if value)


class Token(Resource):
    """A user's tokens of one name: Graylog allows several, the one that ends last is looked at.

    lifetime: as `period` gives it, None for the server's default; releases before 6.2 know none.
    renew_before: days; a token that ends sooner is replaced. None: none is.
    value: the new token's, None where none was made.
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
            raise WishError(
                f"The token {name!r} would be replaced in every run: its lifetime {lifetime} is not longer than "
                f"the {renew_before} days of renew_before"
            )

    @property
    def endless(self) -> bool:
        """Whether a lifetime is wished that this release does not know."""
        return self._lifetime is not None and not self._client.release.token_lifetime

    def find(self) -> dict | None:
        """Return the token that ends last, with `all` of the name; None where there is none."""
        user = find_user(self._client, self._user)
        listed = self._client.request("GET", f"{user_path(self._client, user)}/tokens")["tokens"] if user else []
        same = [token for token in listed if token["name"] == self.name]
        return {**max(same, key=self._ends), "all": same} if same else None

    def picture(self, item: dict) -> dict:
        """Return whose it is, and whether it ends too soon."""
        due = self._ends(item) < self._now() + timedelta(days=self._renew_before or 0)
        return {"user": self._user, "name": self.name, "ends": "too soon" if self._renews() and due else "late enough"}

    def wished(self, item: dict | None) -> dict:
        """Return the token as it shall be."""
        return {"user": self._user, "name": self.name, "ends": "late enough"}

    def create(self) -> None:
        """Make it and keep its value."""
        user = find_user(self._client, self._user)
        if user is None:
            raise WishError(f"There is no user {self._user!r} to have the token {self.name!r}: make the user first")
        # Before 6.2 the body is not looked at but must be there.
        body = {}
        if self._client.release.token_lifetime:
            body = {"token_ttl": self._lifetime} if self._lifetime else None
        path = f"{user_path(self._client, user)}/tokens/{quote(self.name, safe='')}"
        self.value = self._client.request("POST", path, body)["token"]

    def update(self, item: dict) -> None:
        """Make a new one, then take the old ones away."""
        self.create()
        self.delete(item)

    def delete(self, item: dict) -> None:
        """Take away all of the name."""
        path = user_path(self._client, find_user(self._client, self._user))
        for token in item["all"]:
            self._client.request("DELETE", f"{path}/tokens/{quote(token.get('id') or token['token'], safe='')}")

    def _renews(self) -> bool:
        return self._renew_before is not None

    @staticmethod
    def _ends(token: dict) -> datetime:
        ends = token.get("expires_at")
        # Python before 3.11 does not read the letter.
        return datetime.fromisoformat((ends or FOREVER).replace("Z", "+00:00"))
