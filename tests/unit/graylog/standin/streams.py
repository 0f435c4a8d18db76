"""Serve /streams with their rules."""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, paged, route
from tests.unit.graylog.standin.shapes import BOOL, LIST, TEXT, WHOLE, RefusedError, Shape, always, needed, optional

REQUESTS = "org.graylog2.rest.resources.streams.requests"
DEFAULT = "000000000000000000000001"
CREATE = Shape(
    f"{REQUESTS}.CreateStreamRequest",
    {
        "title": needed(TEXT),
        "description": optional(TEXT),
        "rules": optional(LIST),
        "content_pack": optional(TEXT),
        "matching_type": optional(TEXT),
        "remove_matches_from_default_stream": optional(BOOL),
        "index_set_id": needed(TEXT),
    },
)
UPDATE = Shape(
    f"{REQUESTS}.UpdateStreamRequest",
    {
        "title": optional(TEXT),
        "description": optional(TEXT),
        "matching_type": optional(TEXT),
        "remove_matches_from_default_stream": optional(BOOL),
        "index_set_id": optional(TEXT),
    },
    lenient=always,
)
RULE = Shape(
    "org.graylog2.rest.resources.streams.rules.requests.CreateStreamRuleRequest",
    {
        "type": needed(WHOLE),
        "field": optional(TEXT),
        "value": optional(TEXT),
        "inverted": optional(BOOL),
        "description": optional(TEXT),
    },
)
MATCHES_INPUT = 8


class Streams(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}
        sets = api.index_sets
        text = "Contains messages that are not explicitly routed to other streams"
        self._add(DEFAULT, "local:admin", title="Default Stream", description=text, index_set_id=sets.default)
        for stream_id, title, text, index_set in (
            ("000000000000000000000002", "All events", "Stream containing all events created", sets.events),
            (
                "000000000000000000000003",
                "All system events",
                "Stream containing all system events created",
                sets.system_events,
            ),
        ):
            self._add(stream_id, "admin", title=title, description=text, index_set_id=index_set)
            self.items[stream_id].update(is_editable=False, remove_matches_from_default_stream=True)
        for item in self.items.values():
            item["disabled"] = False
        self.items[DEFAULT]["is_default"] = True

    def _add(self, stream_id: str, creator: str, **given) -> dict:
        item = {
            "id": stream_id,
            "creator_user_id": creator,
            "outputs": [],
            "matching_type": "AND",
            "description": None,
            "created_at": self.api.now(),
            "disabled": True,
            "rules": [],
            "content_pack": None,
            "remove_matches_from_default_stream": False,
            "is_default": False,
            "is_editable": True,
            **given,
        }
        if self.release.has("streams have alert keys"):
            item.update(alert_conditions=[], alert_receivers={"emails": [], "users": []})
        if self.release.within((6, 1), None):
            item["categories"] = [] if self.release.has("categories are a list") else None
        self.items[stream_id] = item
        return item

    def get(self, stream_id: str) -> dict:
        if stream_id not in self.items:
            raise RefusedError(404, f"Stream <{stream_id}> not found!")
        return self.items[stream_id]

    def editable(self, stream_id: str) -> dict:
        item = self.get(stream_id)
        kept = item["is_default"] and not self.release.has("the default stream can be edited")
        if kept or not item["is_editable"]:
            raise RefusedError(400, "The stream cannot be edited.")
        return item

    # not recorded: refusals of a kind of match, an index set, a rule's type; form: StreamServiceImpl.java,
    # StreamRuleResource.java; of a stream in use: StreamGuardException.java
    def _checked(self, given: dict) -> dict:
        if given.get("matching_type") is not None and given["matching_type"].upper() not in ("AND", "OR"):
            raise RefusedError(400, f"No enum constant MatchingType.{given['matching_type']}")
        if given.get("index_set_id") is not None and given["index_set_id"] not in self.api.index_sets.items:
            raise RefusedError(400, f"Index set with ID <{given['index_set_id']}> does not exist!")
        if given.get("title") is not None and self.release.has("titles are stripped"):
            given["title"] = given["title"].strip()
        return given

    def _rule(self, stream_id: str, body: object, rule_id: str | None = None) -> dict:
        given = self.fit(RULE, body)
        if given["type"] == MATCHES_INPUT and not self.release.has("streams can match an input"):
            raise RefusedError(400, f"Unknown stream rule type {MATCHES_INPUT}")
        blank = {"field": None, "value": None, "inverted": False, "description": None}
        return {**blank, **given, "id": rule_id or self.api.new_id(), "stream_id": stream_id, "content_pack": None}

    def _shown_rule(self, rule: dict) -> dict:
        """Return the rule; later releases omit the key of content packs."""
        hidden = {"content_pack"} if self.release.within((6, 1), None) else set()
        return {key: value for key, value in rule.items() if key not in hidden}

    def shown(self, item: dict) -> dict:
        return {**item, "rules": [self._shown_rule(rule) for rule in item["rules"]]}

    @route("GET", "/streams")
    def list(self, call: Call):
        return 200, {"total": len(self.items), "streams": [self.shown(item) for item in self.items.values()]}

    @route("GET", "/streams/enabled")
    def enabled(self, call: Call):
        found = [self.shown(item) for item in self.items.values() if not item["disabled"]]
        return 200, {"total": len(found), "streams": found}

    @route("GET", "/streams/paginated", since="users by id")
    def pages(self, call: Call):
        items, page, size = paged(list(self.items.values()), call)
        pagination = {"total": len(self.items), "count": len(items), "page": page, "per_page": size}
        key = "elements" if self.release.has("paginated elements") else "streams"
        answer = {"query": call.query.get("query", ""), "pagination": pagination, "total": len(self.items)}
        return 200, {**answer, "sort": "title", "order": "asc", key: [self.shown(item) for item in items]}

    @route("POST", "/streams")
    def create(self, call: Call):
        given = self._checked(self.fit_created(CREATE, call.body))
        given["matching_type"] = (given.get("matching_type") or "AND").upper()
        given["remove_matches_from_default_stream"] = bool(given.get("remove_matches_from_default_stream"))
        stream_id = self.api.new_id()
        rules = [self._rule(stream_id, rule) for rule in given.pop("rules", None) or []]
        self._add(stream_id, call.user, **given)["rules"] = rules
        return 201, {"stream_id": stream_id}

    @route("GET", "/streams/{stream_id}")
    def read(self, call: Call, stream_id: str):
        return 200, self.shown(self.get(stream_id))

    @route("PUT", "/streams/{stream_id}")
    def update(self, call: Call, stream_id: str):
        item = self.editable(stream_id)
        given = self._checked(self.fit(UPDATE, call.body))
        if self.release.has("omitted stream description is null"):
            given.setdefault("description", None)
        elif not given.get("description"):
            given.pop("description", None)
        kept = {key: value for key, value in given.items() if value is not None or key == "description"}
        item.update(kept)
        return 200, self.shown(item)

    @route("DELETE", "/streams/{stream_id}")
    def delete(self, call: Call, stream_id: str):
        item = self.editable(stream_id)
        if item["is_default"]:
            raise RefusedError(400, "The stream cannot be edited.")
        if self.release.has("creates are wrapped"):
            self._guard(stream_id)
        del self.items[stream_id]
        self.api.connections.forget_stream(stream_id)
        return 204, None

    def _guard(self, stream_id: str) -> None:
        users = self.api.definitions.of_stream(stream_id)
        if users:
            raise RefusedError(400, f"Stream <{stream_id}> is still used by event definitions: {', '.join(users)}")

    @route("POST", "/streams/{stream_id}/resume")
    def resume(self, call: Call, stream_id: str):
        self.get(stream_id)["disabled"] = False
        return 204, None

    @route("POST", "/streams/{stream_id}/pause")
    def pause(self, call: Call, stream_id: str):
        self.editable(stream_id)["disabled"] = True
        return 204, None

    @route("GET", "/streams/{stream_id}/rules")
    def rules(self, call: Call, stream_id: str):
        rules = [self._shown_rule(rule) for rule in self.get(stream_id)["rules"]]
        return 200, {"total": len(rules), "stream_rules": rules}

    def _find_rule(self, stream_id: str, rule_id: str) -> dict:
        for rule in self.get(stream_id)["rules"]:
            if rule["id"] == rule_id:
                return rule
        raise RefusedError(404, f"Stream rule not found: {rule_id}")

    @route("POST", "/streams/{stream_id}/rules")
    def add_rule(self, call: Call, stream_id: str):
        rule = self._rule(stream_id, call.body)
        self.editable(stream_id)["rules"].append(rule)
        return 201, {"streamrule_id": rule["id"]}

    @route("GET", "/streams/{stream_id}/rules/{rule_id}")
    def rule(self, call: Call, stream_id: str, rule_id: str):
        return 200, self._shown_rule(self._find_rule(stream_id, rule_id))

    @route("PUT", "/streams/{stream_id}/rules/{rule_id}")
    def change_rule(self, call: Call, stream_id: str, rule_id: str):
        self.editable(stream_id)
        self._find_rule(stream_id, rule_id).update(self._rule(stream_id, call.body, rule_id))
        return 200, {"streamrule_id": rule_id}

    @route("DELETE", "/streams/{stream_id}/rules/{rule_id}")
    def drop_rule(self, call: Call, stream_id: str, rule_id: str):
        self.editable(stream_id)["rules"].remove(self._find_rule(stream_id, rule_id))
        return 204, None
