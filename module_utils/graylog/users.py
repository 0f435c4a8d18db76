"""Users of Graylog, and how one is addressed in each release."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from .client import GraylogClient
from .reconcile import HIDDEN, Resource, WishError

# Graylog's own default, said for a new user because the request must have one.
SESSION_TIMEOUT_MS = 8 * 3600 * 1000


def find_user(client: GraylogClient, username: str) -> dict | None:
    """Return the user of this name, None where there is none."""
    return client.find(f"/users/{quote(username, safe='')}")


def user_path(client: GraylogClient, user: dict) -> str:
    """Return the path under which a user is changed: by id from 4.0 on, by name before."""
    return f"/users/{quote(user['id'] if client.release.users_by_id else user['username'], safe='')}"


@dataclass(frozen=True)
class UserWish:
    """What a user shall be; None leaves a setting as it is.

    first_name and last_name come together. roles, permissions: the exact sets.
    password: set for a new user; Graylog does not show it, so later it is written where `always` is true.
    old_password: what Graylog wants to see where an account changes its own password.
    """

    username: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    roles: list[str] | None = None
    permissions: list[str] | None = None
    timezone: str | None = None
    session_timeout_ms: int | None = None
    password: str | None = None
    always: bool = False
    old_password: str | None = None


class User(Resource):
    """A user of Graylog's own, known by the name of the login."""

    kind = "user"

    def __init__(self, client: GraylogClient, wish: UserWish) -> None:
        self.name = wish.username
        self._client = client
        self._wish = wish
        self._password_written = False

    def find(self) -> dict | None:
        """Return the user, None where there is none."""
        return find_user(self._client, self.name)

    def picture(self, item: dict) -> dict:
        """Return what the wish speaks of; the password only where it was just written."""
        held = {**item, "permissions": self._own_permissions(item), "roles": self._roles(item)}
        picture = {"username": self.name, **{key: held.get(key) for key in self._settings()}}
        return {**picture, "password": HIDDEN} if self._password_written else picture

    def wished(self, item: dict | None) -> dict:
        """Return the user as it shall be.

        Raises WishError for one who is not Graylog's own or cannot be changed, and where a new one lacks something.
        """
        self._refuse(item) if item else self._refuse_incomplete()
        wished = {"username": self.name, **self._settings()}
        return {**wished, "password": HIDDEN} if self._password_due(item) else wished

    def create(self) -> None:
        """Make it."""
        wish = self._wish
        settings = {"session_timeout_ms": SESSION_TIMEOUT_MS, "roles": [], "permissions": [], "timezone": None}
        body = {**settings, **self._settings(), "username": self.name, "password": wish.password}
        self._client.request("POST", "/users", body)
        self._password_written = True

    def update(self, item: dict) -> None:
        """Change it; the time zone and the first page are said anew because Graylog forgets them otherwise."""
        path = user_path(self._client, item)
        settings = self._settings()
        held = self.picture(item)
        if any(held[key] != value for key, value in settings.items()):
            page = item.get("startpage")
            kept = {"timezone": item.get("timezone"), "startpage": page and {key: page[key] for key in ("type", "id")}}
            self._client.request("PUT", path, {**kept, **settings})
        if self._password_due(item):
            old = {} if self._wish.old_password is None else {"old_password": self._wish.old_password}
            self._client.request("PUT", f"{path}/password", {"password": self._wish.password, **old})
            self._password_written = True
            if old:
                self._client.log_in_with(self._wish.password)

    def delete(self, item: dict) -> None:
        """Take it away."""
        self._refuse(item)
        path = f"/users/id/{item['id']}" if self._client.release.users_by_id else user_path(self._client, item)
        self._client.request("DELETE", path)

    def _settings(self) -> dict:
        """Return what the wish speaks of, in the words of the release."""
        wish = self._wish
        names = {"first_name": wish.first_name, "last_name": wish.last_name}
        if wish.first_name is not None and not self._client.release.splits_names:
            names = {"full_name": f"{wish.first_name} {wish.last_name}"}
        settings = {
            **names,
            "email": wish.email,
            "roles": None if wish.roles is None else sorted(set(wish.roles)),
            "permissions": None if wish.permissions is None else sorted(set(wish.permissions)),
            "timezone": wish.timezone,
            "session_timeout_ms": wish.session_timeout_ms,
        }
        return {key: value for key, value in settings.items() if value is not None}

    def _roles(self, item: dict) -> list[str]:
        """Return the held roles as the wish spells them: Graylog takes no notice of upper and lower case in names."""
        spelt = {role.lower(): role for role in self._wish.roles or []}
        return sorted(spelt.get(role.lower(), role) for role in item["roles"])

    def _own_permissions(self, item: dict) -> list[str]:
        """Return what was given to the user alone.

        An answer mixes that with what the roles give and with what everybody may do with the own account; a wished
        one that is among those is held as well.
        """
        if self._wish.permissions is None:
            return []
        given = {word for role in item["roles"] for word in self._role_permissions(role)}
        own_account = re.compile(rf"users:\w+:({re.escape(item['username'])}|{re.escape(item.get('id') or '')})")
        held = set(item["permissions"])
        own = {word for word in held - given if not own_account.fullmatch(word)}
        return sorted(own | (held & set(self._wish.permissions)))

    def _role_permissions(self, role: str) -> list[str]:
        found = self._client.find(f"/roles/{quote(role, safe='')}")
        return found["permissions"] if found else []

    def _password_due(self, item: dict | None) -> bool:
        if item is None or not self._wish.always:
            return item is None
        # the account that asks has just shown that its password is this one
        return self._wish.password != self._wish.old_password

    def _refuse(self, item: dict) -> None:
        if item.get("read_only"):
            raise WishError(
                f"The user {self.name!r} is built into Graylog and cannot be changed here: the administrator of the "
                "server's configuration is set by root_username, root_password_sha2, root_email in server.conf"
            )
        if item.get("external"):
            raise WishError(
                f"The user {self.name!r} comes from an outside directory and is managed there, not in Graylog"
            )

    def _refuse_incomplete(self) -> None:
        wish = self._wish
        needed = {"first_name": wish.first_name, "email": wish.email, "user_password": wish.password}
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            raise WishError(f"There is no user {self.name!r} yet, and a new one needs {', '.join(missing)}: give them")
