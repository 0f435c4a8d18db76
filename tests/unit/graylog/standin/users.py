"""Serve /users, by name in 3.3 and by id since 4.0, and check logins."""

from __future__ import annotations

import secrets

from tests.unit.graylog.standin.routes import Call, Resource, paged, route
from tests.unit.graylog.standin.shapes import (
    BOOL,
    MAP,
    TEXT,
    TEXTS,
    WHOLE,
    RefusedError,
    Shape,
    always,
    needed,
    optional,
)

REQUESTS = "org.graylog2.rest.models.users.requests"
NAMES = {
    "full_name": needed(TEXT, until=(4, 0)),
    "first_name": needed(TEXT, since=(4, 0)),
    "last_name": needed(TEXT, since=(4, 0)),
}
CREATE = Shape(
    f"{REQUESTS}.CreateUserRequest",
    {
        "username": needed(TEXT),
        "password": needed(TEXT),
        "email": needed(TEXT),
        **NAMES,
        "permissions": needed(TEXTS),
        "timezone": optional(TEXT),
        "session_timeout_ms": optional(WHOLE),
        "startpage": optional(MAP),
        "roles": optional(TEXTS),
        "service_account": optional(BOOL, since=(4, 1)),
    },
    lenient=lambda release: release.within((4, 0), None),
)
CHANGE = Shape(
    f"{REQUESTS}.ChangeUserRequest",
    {
        "email": optional(TEXT),
        **{name: optional(TEXT, since=key.since, until=key.until) for name, key in NAMES.items()},
        "permissions": optional(TEXTS),
        "timezone": optional(TEXT),
        "startpage": optional(MAP),
        "session_timeout_ms": optional(WHOLE),
        "roles": optional(TEXTS),
        "service_account": optional(BOOL, since=(4, 1)),
    },
    lenient=always,
)
PASSWORD = Shape(f"{REQUESTS}.ChangePasswordRequest", {"old_password": optional(TEXT), "password": needed(TEXT)})
SESSION = Shape(
    "org.graylog2.rest.models.system.sessions.requests.SessionCreateRequest",
    {"username": needed(TEXT), "password": needed(TEXT), "host": optional(TEXT)},
)
SHORTEST = 6


class Users(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}
        self._passwords: dict[str, str] = {}
        name, password = api.admin
        self._add("local:admin", password, username=name, email="", roles=["Admin"], permissions=["*"], read_only=True)

    def _add(self, user_id: str, password: str, **given) -> None:
        self.items[user_id] = {
            "id": user_id,
            "email": "",
            "permissions": [],
            "preferences": {"updateUnfocussed": False, "enableSmartSearch": True},
            "timezone": None,
            "session_timeout_ms": 28800000,
            "external": False,
            "startpage": None,
            "roles": [],
            "read_only": False,
            "session_active": False,
            "last_activity": None,
            "client_address": None,
            "full_name": "Administrator",
            **given,
        }
        if self.release.has("first and last name"):
            added = {"account_status": "enabled", "auth_service_enabled": True, "service_account": False}
            names = {"first_name": None, "last_name": None, "grn_permissions": []}
            self.items[user_id] = {**names, **added, **self.items[user_id]}
        self._passwords[user_id] = password

    def who(self, login: tuple[str, str]) -> str | None:
        """Return the user name of a login by password or token, or None."""
        username, password = login
        if password == "token":
            owner = self.api.tokens.owner(username)
            return self.items[owner]["username"] if owner else None
        for user_id, user in self.items.items():
            if user["username"] == username and self._passwords[user_id] == password:
                return username
        return None

    def by_name(self, username: str) -> dict:
        for user in self.items.values():
            if user["username"] == username:
                return user
        raise RefusedError(404, f"Couldn't find user {username}")

    def addressed(self, key: str) -> dict:
        """Return the account for {key} in a path of this release."""
        if not self.release.has("users by id"):
            return self.by_name(key)
        if key not in self.items:
            raise RefusedError(404, f"Couldn't find user {key}")
        return self.items[key]

    def shown(self, user: dict) -> dict:
        """Return the account with permissions of its roles and on itself, as GET."""
        names, rights = [user["username"]], ["tokenlist", "tokenremove", "passwordchange", "edit", "tokencreate"]
        if self.release.has("user permissions by id"):
            names, rights = [user["id"], user["username"]], [*rights[:-1], "read"]
        own = [] if user["read_only"] else [f"users:{right}:{name}" for name in names for right in rights]
        of_roles = [each for role in user["roles"] for each in self.api.roles.get(role)["permissions"]]
        return {**user, "permissions": list(dict.fromkeys([*user["permissions"], *own, *of_roles]))}

    def _named(self, given: dict, old: dict) -> dict:
        """Return the names to store; first and last name come together."""
        if not self.release.has("first and last name"):
            return given
        if given.get("first_name") and given.get("last_name"):
            return {**given, "full_name": f"{given['first_name']} {given['last_name']}"}
        return {key: value for key, value in given.items() if key not in ("first_name", "last_name")}

    def _good(self, password: str) -> None:
        if self.release.has("password complexity") and len(password) < SHORTEST:
            # not recorded: refusals of a password, of an empty name, of the administrator; form: UsersResource.java
            raise RefusedError(400, f"Password must be at least {SHORTEST} characters long")

    @route("GET", "/users")
    def list(self, call: Call):
        return 200, {"users": [self.shown(user) for user in self.items.values()]}

    @route("GET", "/users/paginated", since="users by id")
    def pages(self, call: Call):
        items, page, size = paged([user for user in self.items.values() if not user["read_only"]], call)
        pagination = {"total": len(self.items) - 1, "count": len(items), "page": page, "per_page": size}
        return 200, {"query": "", "pagination": pagination, "users": [self.shown(user) for user in items]}

    @route("POST", "/users")
    def create(self, call: Call):
        given = self.fit(CREATE, call.body)
        if given["username"] in [user["username"] for user in self.items.values()]:
            raise RefusedError(400, f"Cannot create user {given['username']}. Username is already taken.")
        for key in ("username", "password", *NAMES):
            if key in given and not given[key]:
                raise RefusedError(400, f"{key} must not be empty")
        self._good(given["password"])
        self.api.roles.check(given.get("roles") or [])
        kept = {key: value for key, value in self._named(given, {}).items() if value is not None}
        self._add(self.api.new_id(), kept.pop("password"), **kept)
        return 201, None

    @route("GET", "/users/{username}")
    def read(self, call: Call, username: str):
        return 200, self.shown(self.by_name(username))

    @route("GET", "/users/id/{user_id}", since="users by id")
    def read_by_id(self, call: Call, user_id: str):
        return 200, self.shown(self.addressed(user_id))

    @route("PUT", "/users/{key}")
    def update(self, call: Call, key: str):
        given = self.fit(CHANGE, call.body)
        user = self._own(key)
        self.api.roles.check(given.get("roles") or [])
        kept = {name: value for name, value in self._named(given, user).items() if value is not None}
        # An update without time zone or start page resets them.
        user.update({"timezone": None, **({"startpage": None} if self.release.within((4, 0), None) else {}), **kept})
        return 204, None

    def _own(self, key: str) -> dict:
        user = self.addressed(key)
        if user["read_only"]:
            raise RefusedError(400, f"Cannot modify readonly user {user['username']}")
        return user

    @route("PUT", "/users/{key}/password")
    def change_password(self, call: Call, key: str):
        given = self.fit(PASSWORD, call.body)
        user = self._own(key)
        self._good(given["password"])
        if call.user == user["username"] and given.get("old_password") != self._passwords[user["id"]]:
            raise RefusedError(400, "Old password is missing or incorrect.")
        self._passwords[user["id"]] = given["password"]
        return 204, None

    @route("DELETE", "/users/{username}")
    def delete(self, call: Call, username: str):
        return self._delete(self.by_name(username))

    @route("DELETE", "/users/id/{user_id}", since="users by id")
    def delete_by_id(self, call: Call, user_id: str):
        return self._delete(self.addressed(user_id))

    def _delete(self, user: dict):
        self._own(user["id"] if self.release.has("users by id") else user["username"])
        del self.items[user["id"]], self._passwords[user["id"]]
        self.api.tokens.items.pop(user["id"], None)
        return 204, None

    @route("POST", "/system/sessions")
    def log_in(self, call: Call):
        given = self.fit(SESSION, call.body)
        if self.who((given["username"], given["password"])) is None:
            raise RefusedError(401, "Invalid credentials.")
        user = self.by_name(given["username"])
        answer = {"valid_until": self.api.now(3600), "session_id": secrets.token_hex(16)}
        if self.release.has("users by id"):
            answer.update(username=user["username"], user_id=user["id"], full_name=user["full_name"])
        return 200, answer
