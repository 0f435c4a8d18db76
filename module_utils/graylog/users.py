"""Manage users of Graylog, and address them as each release expects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from .client import GraylogClient
from .reconcile import HIDDEN, DesiredStateError, Resource

# Graylog's own default; a request for a new user must contain the value.
SESSION_TIMEOUT_MS = 8 * 3600 * 1000


def find_user(client: GraylogClient, username: str) -> dict | None:
    """Return the user of this name, or None."""
    return client.find(f"/users/{quote(username, safe='')}")


def user_path(client: GraylogClient, user: dict) -> str:
    """Return the path for changes of a user: by id from 4.0 on, by name before."""
    return f"/users/{quote(user['id'] if client.release.users_by_id else user['username'], safe='')}"


@dataclass(frozen=True)
class DesiredUser:
    """The desired settings of a user; None leaves a setting unchanged.

    first_name and last_name come together. roles, permissions: the exact sets.
    password: set for a new user. Graylog does not show it, so `always` decides whether it is written again.
    old_password: required by Graylog if an account changes its own password.
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
    """A user of Graylog's own database, known by the login name."""

    kind = "user"

    def __init__(self, client: GraylogClient, user: DesiredUser) -> None:
        self.name = user.username
        self._client = client
        self._user = user
        self._password_written = False

    def find(self) -> dict | None:
        """Return the user, or None."""
        return find_user(self._client, self.name)

    def current(self, item: dict) -> dict:
        """Return the current values of the given settings.

        The password is included only if it was just written.
        """
        values = {**item, "permissions": self._own_permissions(item), "roles": self._roles(item)}
        current = {"username": self.name, **{key: values.get(key) for key in self._settings()}}
        return {**current, "password": HIDDEN} if self._password_written else current

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError for a user who is external or read-only, and for a new user without required settings.
        """
        self._refuse(item) if item else self._refuse_incomplete()
        desired = {"username": self.name, **self._settings()}
        return {**desired, "password": HIDDEN} if self._password_due(item) else desired

    def create(self) -> None:
        """Create the user."""
        defaults = {"session_timeout_ms": SESSION_TIMEOUT_MS, "roles": [], "permissions": [], "timezone": None}
        body = {**defaults, **self._settings(), "username": self.name, "password": self._user.password}
        self._client.request("POST", "/users", body)
        self._password_written = True

    def update(self, item: dict) -> None:
        """Write the settings.

        Time zone and start page are sent again, because Graylog would reset them.
        """
        path = user_path(self._client, item)
        settings = self._settings()
        current = self.current(item)
        if any(current[key] != value for key, value in settings.items()):
            page = item.get("startpage")
            kept = {"timezone": item.get("timezone"), "startpage": page and {key: page[key] for key in ("type", "id")}}
            self._client.request("PUT", path, {**kept, **settings})
        if self._password_due(item):
            old = {} if self._user.old_password is None else {"old_password": self._user.old_password}
            self._client.request("PUT", f"{path}/password", {"password": self._user.password, **old})
            self._password_written = True
            if old:
                self._client.log_in_with(self._user.password)

    def delete(self, item: dict) -> None:
        """Delete the user.

        Raises DesiredStateError for a user who is external or read-only.
        """
        self._refuse(item)
        path = f"/users/id/{item['id']}" if self._client.release.users_by_id else user_path(self._client, item)
        self._client.request("DELETE", path)

    def _settings(self) -> dict:
        """Return the given settings with the keys of the release."""
        user = self._user
        names = {"first_name": user.first_name, "last_name": user.last_name}
        if user.first_name is not None and not self._client.release.splits_names:
            names = {"full_name": f"{user.first_name} {user.last_name}"}
        settings = {
            **names,
            "email": user.email,
            "roles": None if user.roles is None else sorted(set(user.roles)),
            "permissions": None if user.permissions is None else sorted(set(user.permissions)),
            "timezone": user.timezone,
            "session_timeout_ms": user.session_timeout_ms,
        }
        return {key: value for key, value in settings.items() if value is not None}

    def _roles(self, item: dict) -> list[str]:
        """Return the current roles in the spelling of the desired ones.

        Graylog ignores case in role names.
        """
        spelling = {role.lower(): role for role in self._user.roles or []}
        return sorted(spelling.get(role.lower(), role) for role in item["roles"])

    def _own_permissions(self, item: dict) -> list[str]:
        """Return the permissions that were granted to the user directly.

        The server mixes these with the permissions of the roles and those on the own account. A desired permission
        that is among the latter counts as granted.
        """
        if self._user.permissions is None:
            return []
        by_role = {permission for role in item["roles"] for permission in self._role_permissions(role)}
        own_account = re.compile(rf"users:\w+:({re.escape(item['username'])}|{re.escape(item.get('id') or '')})")
        current = set(item["permissions"])
        direct = {permission for permission in current - by_role if not own_account.fullmatch(permission)}
        return sorted(direct | (current & set(self._user.permissions)))

    def _role_permissions(self, role: str) -> list[str]:
        found = self._client.find(f"/roles/{quote(role, safe='')}")
        return found["permissions"] if found else []

    def _password_due(self, item: dict | None) -> bool:
        if item is None or not self._user.always:
            return item is None
        # The login of this request has proved that the account has this password.
        return self._user.password != self._user.old_password

    def _refuse(self, item: dict) -> None:
        if item.get("read_only"):
            raise DesiredStateError(
                f"The user {self.name!r} is built into Graylog and cannot be changed here: set root_username, "
                "root_password_sha2 and root_email in server.conf"
            )
        if item.get("external"):
            raise DesiredStateError(
                f"The user {self.name!r} comes from an external directory: change the user there, not in Graylog"
            )

    def _refuse_incomplete(self) -> None:
        user = self._user
        required = {"first_name": user.first_name, "email": user.email, "user_password": user.password}
        missing = [name for name, value in required.items() if value is None]
        if missing:
            raise DesiredStateError(f"The user {self.name!r} does not exist, and a new user needs {', '.join(missing)}")
