"""Serve /users/.../tokens; tokens expire since 6.2."""

from __future__ import annotations

import re
import secrets
from collections import defaultdict

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import TEXT, RefusedError, Shape, cannot_read, optional

TOKEN = Shape("org.graylog2.rest.models.users.requests.GenerateTokenTTL", {"token_ttl": optional(TEXT)})
EPOCH = "1970-01-01T00:00:00.000Z"
DAY = 86400


class Tokens(Resource):
    """Access tokens. items: the tokens by user id."""

    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, list[dict]] = defaultdict(list)

    def owner(self, value: str) -> str | None:
        """Return the id of the token's owner, None if unknown or expired."""
        for user_id, tokens in self.items.items():
            for token in tokens:
                if token["token"] == value and token.get("expires_at", "9") > self.api.now():
                    return user_id
        return None

    @route("GET", "/users/{key}/tokens")
    def list_tokens(self, call: Call, key: str):
        """List tokens; 3.3 and 4.3 show their values."""
        hidden = {"token"} if self.release.within((5, 0), None) else set()
        tokens = self.items[self.api.users.addressed(key)["id"]]
        return 200, {"tokens": [{k: v for k, v in token.items() if k not in hidden} for token in tokens]}

    @route("POST", "/users/{key}/tokens/{name}")
    def create_token(self, call: Call, key: str, name: str):
        user = self.api.users.addressed(key)
        token = {"id": self.api.new_id(), "name": name, "token": secrets.token_hex(26), "last_access": EPOCH}
        answer = dict(token)
        if self.release.has("tokens end"):
            lifetime = self.fit(TOKEN, call.body).get("token_ttl") if call.body is not None else None
            days = re.fullmatch(r"P(\d+)D", lifetime or "P30D")
            if not days:
                raise cannot_read(self.release, TOKEN, f"Invalid format: {lifetime}", 1)
            token.update(created_at=self.api.now(), expires_at=self.api.now(int(days[1]) * DAY))
        self.items[user["id"]].append(token)
        return 200, answer

    @route("DELETE", "/users/{key}/tokens/{token}")
    def drop_token(self, call: Call, key: str, token: str):
        """Delete a token by id, in 3.3 also by value."""
        mine = self.items[self.api.users.addressed(key)["id"]]
        for entry in mine:
            if token == entry["id"] or (token == entry["token"] and not self.release.within((5, 0), None)):
                mine.remove(entry)
                return 204, None
        # not recorded: a token that is not there; form: UsersResource.java
        raise RefusedError(404, "Couldn't find access token for user.")
