"""/users and their tokens, and who a login is. 3.3 finds users by name, 4.0 and later by id."""

from __future__ import annotations

import re
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
    cannot_read,
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
TOKEN = Shape("org.graylog2.rest.models.users.requests.GenerateTokenTTL", {"token_ttl": optional(TEXT)})
SESSION = Shape(
    "org.graylog2.rest.models.system.sessions.requests.SessionCreateRequest",
    {"username": needed(TEXT), "password": needed(TEXT), "host": optional(TEXT)},
)
EPOCH = "1970-01-01T00:00:00.000Z"
SHORTEST = 6
DAY = 86400


class Users(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}
        self.tokens: dict[str, list[dict]] = {}
        self._passwords: dict[str, str] = {}
        name, password = api.admin
        self._add("local:admin", password, username=name, email="", roles=["Admin"], permissions=["*"], read_only=True)

    def _add(self, user_id: str, password: str, **given) -> None:
        """Put an account there; the permissions that Graylog itself gives are not made up."""
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
        self.tokens[user_id] = []

    def who(self, login: tuple[str, str]) -> str | None:
        """Return the user's name of a login by password or token, None where it is wrong."""
        username, password = login
        if password == "token":
            owners = [each for each, tokens in self.tokens.items() if username in [token["token"] for token in tokens]]
            return self.items[owners[0]]["username"] if owners else None
        for user_id, user in self.items.items():
            if user["username"] == username and self._passwords[user_id] == password:
                return username
        return None

    def by_name(self, username: str) -> dict:
        for user in self.items.values():
            if user["username"] == username:
                return user
        raise RefusedError(404, f"Couldn't find user {username}")

    def _addressed(self, key: str) -> dict:
        """The account that a path with {key} means in this release."""
        if not self.release.has("users by id"):
            return self.by_name(key)
        if key not in self.items:
            raise RefusedError(404, f"Couldn't find user {key}")
        return self.items[key]

    def shown(self, user: dict) -> dict:
        mine = [user["username"]]
        if self.release.has("user permissions by id"):
            mine.append(user["id"])
        own = [f"users:{what}:{name}" for what in ("edit", "passwordchange", "tokenlist") for name in mine]
        return {**user, "permissions": [*user["permissions"], *([] if user["read_only"] else own)]}

    def _named(self, given: dict, old: dict) -> dict:
        """Return what is to be stored of the names. Of first and last name both or none are taken."""
        if not self.release.has("first and last name"):
            return given
        if given.get("first_name") and given.get("last_name"):
            return {**given, "full_name": f"{given['first_name']} {given['last_name']}"}
        return {key: value for key, value in given.items() if key not in ("first_name", "last_name")}

    def _good(self, password: str) -> None:
        if self.release.has("password complexity") and len(password) < SHORTEST:
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
        return 200, self.shown(self._addressed(user_id))

    @route("PUT", "/users/{key}")
    def update(self, call: Call, key: str):
        given = self.fit(CHANGE, call.body)
        user = self._own(key)
        self.api.roles.check(given.get("roles") or [])
        kept = {name: value for name, value in self._named(given, user).items() if value is not None}
        # A time zone and a start page that are left out are taken away.
        user.update({"timezone": None, **({"startpage": None} if self.release.within((4, 0), None) else {}), **kept})
        return 204, None

    def _own(self, key: str) -> dict:
        user = self._addressed(key)
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
        return self._delete(self._addressed(user_id))

    def _delete(self, user: dict):
        self._own(user["id"] if self.release.has("users by id") else user["username"])
        for store in (self.items, self.tokens, self._passwords):
            del store[user["id"]]
        return 204, None

    @route("GET", "/users/{key}/tokens")
    def list_tokens(self, call: Call, key: str):
        """3.3 and 4.3 show the value again, later releases never."""
        hidden = {"token"} if self.release.within((5, 0), None) else set()
        tokens = self.tokens[self._addressed(key)["id"]]
        return 200, {"tokens": [{k: v for k, v in token.items() if k not in hidden} for token in tokens]}

    @route("POST", "/users/{key}/tokens/{name}")
    def create_token(self, call: Call, key: str, name: str):
        user = self._addressed(key)
        token = {"id": self.api.new_id(), "name": name, "token": secrets.token_hex(26), "last_access": EPOCH}
        answer = dict(token)
        if self.release.has("tokens end"):
            lifetime = self.fit(TOKEN, call.body).get("token_ttl") if call.body is not None else None
            days = re.fullmatch(r"P(\d+)D", lifetime or "P30D")
            if not days:
                raise cannot_read(self.release, TOKEN, f"Invalid format: {lifetime}", 1)
            token.update(created_at=self.api.now(), expires_at=self.api.now(int(days[1]) * DAY))
        self.tokens[user["id"]].append(token)
        return 200, answer

    @route("DELETE", "/users/{key}/tokens/{token}")
    def drop_token(self, call: Call, key: str, token: str):
        """By the token's id, in 3.3 also by its value."""
        mine = self.tokens[self._addressed(key)["id"]]
        for entry in mine:
            if token == entry["id"] or (token == entry["token"] and not self.release.within((5, 0), None)):
                mine.remove(entry)
                return 204, None
        raise RefusedError(404, f"Couldn't find access token for user {key}")

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
