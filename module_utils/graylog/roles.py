"""Roles of Graylog: what a user may do."""

from __future__ import annotations

from urllib.parse import quote

from .client import GraylogClient
from .reconcile import Resource, WishError


class Role(Resource):
    """A role, known by its name.

    permissions: the exact set, Graylog's own words such as "streams:read" or "streams:read:ID".
    description: None leaves it as it is.
    """

    kind = "role"

    def __init__(self, client: GraylogClient, name: str, permissions: list[str], description: str | None) -> None:
        self.name = name
        self._client = client
        self._permissions = sorted(set(permissions))
        self._description = description
        self._path = f"/roles/{quote(name, safe='')}"

    def find(self) -> dict | None:
        """Return the role, None where there is none."""
        return self._client.find(self._path)

    def picture(self, item: dict) -> dict:
        """Return the role as it is."""
        return {
            "name": item["name"],
            "description": item.get("description") or "",
            "permissions": sorted(item["permissions"]),
        }

    def wished(self, item: dict | None) -> dict:
        """Return the role as it shall be. Raises WishError for one of Graylog's own, which cannot be changed."""
        if item and item.get("read_only"):
            raise WishError(f"The role {self.name!r} is one of Graylog's own which cannot be changed: choose another")
        held = self.picture(item)["description"] if item else ""
        return {
            "name": item["name"] if item else self.name,
            "description": held if self._description is None else self._description,
            "permissions": self._permissions,
        }

    def create(self) -> None:
        """Make it."""
        self._client.request("POST", "/roles", {**self.wished(None), "read_only": False})

    def update(self, item: dict) -> None:
        """Change it: the whole of it is sent."""
        self._client.request("PUT", self._path, {**self.wished(item), "read_only": False})

    def delete(self, item: dict) -> None:
        """Take it away, also from the users that have it."""
        if item.get("read_only"):
            raise WishError(f"The role {self.name!r} is one of Graylog's own and cannot be deleted")
        self._client.request("DELETE", self._path)
