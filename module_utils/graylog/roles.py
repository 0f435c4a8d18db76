"""Manage roles of Graylog, which grant permissions to users."""

from __future__ import annotations

from urllib.parse import quote

from .client import GraylogClient
from .reconcile import DesiredStateError, Resource


class Role(Resource):
    """A role, known by its name.

    permissions: the exact set, in Graylog's own words such as "streams:read" or "streams:read:ID".
    description: None leaves it unchanged.
    """

    kind = "role"

    def __init__(self, client: GraylogClient, name: str, permissions: list[str], description: str | None) -> None:
        self.name = name
        self._client = client
        self._permissions = sorted(set(permissions))
        self._description = description
        self._path = f"/roles/{quote(name, safe='')}"

    def find(self) -> dict | None:
        """Return the role, or None."""
        return self._client.find(self._path)

    def current(self, item: dict) -> dict:
        """Return name, description and permissions."""
        return {
            "name": item["name"],
            "description": item.get("description") or "",
            "permissions": sorted(item["permissions"]),
        }

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError for a built-in role, which is read-only.
        """
        if item and item.get("read_only"):
            raise DesiredStateError(
                f"The role {self.name!r} is built into Graylog and cannot be changed: choose another name"
            )
        description = self.current(item)["description"] if item else ""
        return {
            "name": item["name"] if item else self.name,
            "description": description if self._description is None else self._description,
            "permissions": self._permissions,
        }

    def create(self) -> None:
        """Create the role."""
        self._client.request("POST", "/roles", {**self.desired(None), "read_only": False})

    def update(self, item: dict) -> None:
        """Replace the role: Graylog takes no partial update."""
        self._client.request("PUT", self._path, {**self.desired(item), "read_only": False})

    def delete(self, item: dict) -> None:
        """Delete the role and revoke it from its users."""
        if item.get("read_only"):
            raise DesiredStateError(f"The role {self.name!r} is built into Graylog and cannot be deleted")
        self._client.request("DELETE", self._path)
