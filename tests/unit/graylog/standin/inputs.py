"""Serve /system/inputs, the stored inputs; input_states has the running ones."""

from __future__ import annotations

import re

from tests.unit.graylog.standin.input_types import NAMES, described, encrypted, options
from tests.unit.graylog.standin.routes import Call, Resource, paged, route
from tests.unit.graylog.standin.shapes import BOOL, MAP, TEXT, RefusedError, Shape, needed, optional

PASSWORD_SET = "<password set>"
MODELS = "org.graylog2.rest.models.system.inputs.requests"
CREATE = Shape(
    f"{MODELS}.InputCreateRequest",
    {
        "title": needed(TEXT),
        "type": needed(TEXT),
        "global": optional(BOOL),
        "configuration": needed(MAP),
        "node": optional(TEXT),
    },
)
STATIC_FIELD = Shape(
    "org.graylog2.rest.models.system.inputs.extractors.requests.CreateStaticFieldRequest",
    {"key": needed(TEXT), "value": needed(TEXT)},
)


class Inputs(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}

    def get(self, input_id: str) -> dict:
        if input_id not in self.items:
            raise RefusedError(404, f"Input <{input_id}> not found!")
        return self.items[input_id]

    def add(self, title: str, java: str, is_global: bool = True, node: str | None = None, **configuration) -> str:
        """Store an input without launching it; return its id."""
        input_id = self.api.new_id()
        self.items[input_id] = {
            "id": input_id,
            "title": title,
            "type": java,
            "name": NAMES[java],
            "global": is_global,
            "node": node,
            "content_pack": None,
            "created_at": self.api.now(),
            "creator_user_id": self.api.admin[0],
            "attributes": configuration,
            "static_fields": {},
        }
        return input_id

    def masked(self, item: dict) -> dict:
        """Return the item as GET does: passwords readable, or hidden if encrypted."""
        shown = {
            key: {"is_set": bool(value)} if encrypted(self.release, key) else value
            for key, value in item["attributes"].items()
        }
        return {**item, "attributes": shown}

    def raw(self, item: dict) -> dict:
        """Return the item as the list does: encrypted passwords as stored."""
        shown = {
            key: {"encrypted_value": value.encode().hex(), "salt": "5a17"}
            if encrypted(self.release, key) and value
            else value
            for key, value in item["attributes"].items()
        }
        return {**item, "attributes": shown}

    def launched(self, item: dict) -> dict:
        """Return the item as inputstates does: every password hidden."""
        schema = options(self.release, item["type"])
        shown = {
            key: PASSWORD_SET if value and "is_password" in schema.get(key, {}).get("attributes", []) else value
            for key, value in item["attributes"].items()
        }
        return {**item, "attributes": shown, "static_fields": dict(item["static_fields"])}

    def _configuration(self, java: str, given: dict, old: dict) -> dict:
        if java not in NAMES:
            raise RefusedError(404, "There is no such input type registered.")
        schema = options(self.release, java)
        kept = {**old, **given} if self.release.has("input update merges") else dict(given)
        for key in [key for key in kept if key in schema and encrypted(self.release, key)]:
            kept[key] = secret(kept[key], old.get(key))
        for key, option in schema.items():
            value = kept.get(key)
            right = type(value) is int if option["type"] == "number" else isinstance(value, str) and value
            if not option["is_optional"] and not right:
                raise RefusedError(400, "Missing or invalid input configuration.")
        return kept

    @route("GET", "/system/inputs/types")
    def types(self, call: Call):
        return 200, {"types": NAMES}

    @route("GET", "/system/inputs/types/all")
    def all_types(self, call: Call):
        return 200, {java: described(self.release, java) for java in NAMES}

    @route("GET", "/system/inputs/types/{java}")
    def one_type(self, call: Call, java: str):
        if java not in NAMES:
            raise RefusedError(404, f"Unknown input type {java} requested.")
        return 200, described(self.release, java)

    @route("GET", "/system/inputs")
    def list(self, call: Call):
        return 200, {"inputs": [self.raw(item) for item in self.items.values()], "total": len(self.items)}

    @route("GET", "/system/inputs/paginated", since="paginated elements")
    def pages(self, call: Call):
        items, page, size = paged(list(self.items.values()), call)
        pagination = {"total": len(self.items), "count": len(items), "page": page, "per_page": size}
        answer = {"query": call.query.get("query", ""), "total": len(self.items), "pagination": pagination}
        return 200, {**answer, "elements": [self.masked(item) for item in items]}

    @route("POST", "/system/inputs")
    def create(self, call: Call):
        given = self.fit(CREATE, call.body)
        configuration = self._configuration(given["type"], given["configuration"], {})
        input_id = self.add(
            given["title"], given["type"], given.get("global", False), given.get("node"), **configuration
        )
        waits = self.release.has("inputs have a setup mode") and call.flag("setup_wizard", False)
        if not waits:
            self.api.states.ask("start", input_id)
        return 201, {"id": input_id}

    @route("GET", "/system/inputs/{input_id}")
    def read(self, call: Call, input_id: str):
        return 200, self.masked(self.get(input_id))

    @route("PUT", "/system/inputs/{input_id}")
    def update(self, call: Call, input_id: str):
        given = self.fit(CREATE, call.body)
        item = self.get(input_id)
        item["attributes"] = self._configuration(given["type"], given["configuration"], item["attributes"])
        item.update(title=given["title"], type=given["type"], name=NAMES[given["type"]], created_at=self.api.now())
        item.update({"global": given.get("global", False), "node": given.get("node")})
        self.api.states.ask("update", input_id)
        return 201, {"id": input_id}

    @route("DELETE", "/system/inputs/{input_id}")
    def delete(self, call: Call, input_id: str):
        self.get(input_id)
        del self.items[input_id]
        self.api.states.ask("stop", input_id)
        return 204, None

    def _with_static_fields(self, input_id: str) -> dict:
        """Return the stored input, launched or not."""
        if input_id not in self.items:
            raise RefusedError(404, f"Input <{input_id}> not found.")
        return self.items[input_id]

    @route("POST", "/system/inputs/{input_id}/staticfields")
    def add_static_field(self, call: Call, input_id: str):
        given = self.fit(STATIC_FIELD, call.body)
        item = self._with_static_fields(input_id)
        if not re.fullmatch(r"[\w.@-]*", given["key"]):
            # not recorded: a static field of a bad name; form: StaticFieldsResource.java
            raise RefusedError(400, f"Invalid key: [{given['key']}]")
        item["static_fields"][given["key"]] = given["value"]
        self.api.states.ask("update", input_id)
        return 201, None

    @route("DELETE", "/system/inputs/{input_id}/staticfields/{key}")
    def drop_static_field(self, call: Call, input_id: str, key: str):
        if self._with_static_fields(input_id)["static_fields"].pop(key, None) is None:
            raise RefusedError(404, f"No such static field [{key}] on input <{input_id}>.")
        self.api.states.ask("update", input_id)
        return 204, None


def secret(given: object, old: str | None) -> str | None:
    """Return the stored form of an encrypted option."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict) and isinstance(given.get("set_value"), str):
        return given["set_value"]
    if given == {"keep_value": True}:
        return old
    if given == {"delete_value": True}:
        return None
    raise RefusedError(400, "Missing or invalid input configuration.")
