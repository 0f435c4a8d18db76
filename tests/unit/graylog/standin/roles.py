"""Serve /roles and their members."""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import BOOL, TEXT, TEXTS, RefusedError, Shape, needed, optional

ROLE = Shape(
    "org.graylog2.rest.models.roles.responses.RoleResponse",
    {"name": needed(TEXT), "description": optional(TEXT), "permissions": needed(TEXTS), "read_only": optional(BOOL)},
)
READER = [
    "metrics:read",
    "messagecount:read",
    "journal:read",
    "messages:analyze",
    "fieldnames:read",
    "messages:read",
    "view:create",
    "indexercluster:read",
    "system:read",
    "jvmstats:read",
    "datanode:read",
    "inputs:read",
    "buffers:read",
    "clusterconfigentry:read",
    "decorators:read",
    "throughput:read",
]


class Roles(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}
        for name, text, permissions in (
            ("Admin", "Grants all permissions for Graylog administrators (built-in)", ["*"]),
            ("Reader", "Grants basic permissions for every Graylog user (built-in)", READER),
        ):
            self._put({"name": name, "description": text, "permissions": permissions}, read_only=True)

    def _put(self, given: dict, read_only: bool = False) -> dict:
        item = {"description": None, **given, "read_only": read_only}
        self.items[item["name"].lower()] = item
        return item

    def get(self, name: str) -> dict:
        if name.lower() not in self.items:
            raise RefusedError(404, f"No role found with name {name}")
        return self.items[name.lower()]

    def check(self, names: list[str]) -> None:
        unknown = [name for name in names if name.lower() not in self.items]
        if unknown:
            # not recorded: an unknown role; form: UsersResource.java
            raise RefusedError(400, f"Invalid role names: {', '.join(unknown)}")

    @route("GET", "/roles")
    def list(self, call: Call):
        return 200, {"roles": list(self.items.values()), "total": len(self.items)}

    @route("POST", "/roles")
    def create(self, call: Call):
        given = self.fit(ROLE, call.body)
        if given["name"].lower() in self.items:
            raise RefusedError(400, f"Role {given['name']} already exists.")
        return 201, self._put(given)

    @route("GET", "/roles/{name}")
    def read(self, call: Call, name: str):
        return 200, self.get(name)

    def _own(self, name: str, change: str) -> dict:
        item = self.get(name)
        if item["read_only"]:
            # not recorded: changing Graylog's own role; form: RolesResource.java
            raise RefusedError(400, f"Cannot {change} {name}")
        return item

    @route("PUT", "/roles/{name}")
    def update(self, call: Call, name: str):
        given = self.fit(ROLE, call.body)
        item = self._own(name, "update read only role")
        if given["name"].lower() != name.lower() and given["name"].lower() in self.items:
            raise RefusedError(400, f"Role {given['name']} already exists.")
        del self.items[name.lower()]
        return 200, self._put({**item, **given})

    @route("DELETE", "/roles/{name}")
    def delete(self, call: Call, name: str):
        old = self._own(name, "delete read only system role")["name"]
        del self.items[name.lower()]
        for user in self.api.users.items.values():
            user["roles"] = [role for role in user["roles"] if role != old]
        return 204, None

    @route("GET", "/roles/{name}/members")
    def members(self, call: Call, name: str):
        role = self.get(name)["name"]
        users = [self.api.users.shown(user) for user in self.api.users.items.values() if role in user["roles"]]
        return 200, {"role": role, "users": users}

    @route("PUT", "/roles/{name}/members/{username}")
    def add_member(self, call: Call, name: str, username: str):
        user, role = self.api.users.by_name(username), self.get(name)["name"]
        if role not in user["roles"]:
            user["roles"].append(role)
        return 204, None

    @route("DELETE", "/roles/{name}/members/{username}")
    def drop_member(self, call: Call, name: str, username: str):
        user, role = self.api.users.by_name(username), self.get(name)["name"]
        user["roles"] = [each for each in user["roles"] if each != role]
        return 204, None
