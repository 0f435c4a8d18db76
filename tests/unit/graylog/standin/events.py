"""Serve /events/definitions, with the common base of notifications."""

from __future__ import annotations

from tests.unit.graylog.standin.event_configs import fit_config
from tests.unit.graylog.standin.routes import Call, Resource, paged, route
from tests.unit.graylog.standin.shapes import (
    ANY,
    BOOL,
    LIST,
    MAP,
    TEXT,
    TEXTS,
    WHOLE,
    RefusedError,
    Shape,
    needed,
    optional,
)

DEFINITION = Shape(
    "org.graylog.events.processor.EventDefinitionDto",
    {
        "id": optional(TEXT),
        "_scope": optional(TEXT, since=(5, 0)),
        "title": needed(TEXT),
        "description": needed(TEXT),
        "remediation_steps": optional(TEXT, since=(6, 0)),
        "event_procedure": optional(TEXT, since=(7, 0)),
        "event_summary_template": optional(TEXT, since=(7, 1)),
        "updated_at": optional(TEXT, since=(5, 0)),
        "matched_at": optional(TEXT, since=(6, 1)),
        "priority": needed(WHOLE),
        "alert": needed(BOOL),
        "config": needed(MAP),
        "field_spec": optional(MAP),
        "key_spec": needed(TEXTS),
        "notification_settings": needed(MAP),
        "notifications": optional(LIST),
        "storage": optional(LIST),
        "tags": optional(TEXTS, since=(7, 1)),
        "scheduler": optional(ANY, since=(5, 0)),
        "state": optional(TEXT, since=(5, 0)),
    },
    builder=True,
)
EVENTS_STREAM = {"type": "persist-to-streams-v1", "streams": ["000000000000000000000002"]}
SYSTEM_STREAM = {"type": "persist-to-streams-v1", "streams": ["000000000000000000000003"]}
NOT_SCHEDULED = {
    "status": None,
    "next_time": None,
    "triggered_at": None,
    "queued_notifications": 0,
    "data": None,
    "is_scheduled": False,
}


def invalid(**errors: str) -> RefusedError:
    """Return the error for a valid body with invalid settings."""
    return RefusedError(400, {"errors": {key: [text] for key, text in errors.items()}, "failed": True})


# not recorded: refusals by validation, of ids and of what is not there; form: EventDefinitionDto.java,
# AggregationEventProcessorConfig.java, EventDefinitionsResource.java, ValidationResult.java; for Graylog's own: none
class Events(Resource):
    """The common base of notifications and definitions."""

    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}

    def _found(self, item_id: str, what: str) -> dict:
        if item_id not in self.items:
            raise RefusedError(404, f"{what} doesn't exist")
        return self.items[item_id]

    def _page(self, call: Call, key: str) -> dict:
        wanted = call.query.get("query", "").lower()
        found = [self.shown(item) for item in self.items.values() if wanted in item["title"].lower()]
        items, page, size = paged(found, call)
        answer = {"total": len(found), "page": page, "per_page": size, "count": len(items), key: items}
        return {**answer, "query": call.query.get("query", "")}

    def _elements(self, call: Call) -> dict:
        page = self._page(call, "elements")
        pagination = {key: page.pop(key) for key in ("count", "page", "per_page")}
        return {**page, "pagination": {**pagination, "total": page["total"]}, "sort": "title", "order": "asc"}

    def shown(self, item: dict) -> dict:
        return item


class Definitions(Events):
    """Event definitions. scheduled: whether a definition runs, by id."""

    def __init__(self, api) -> None:
        super().__init__(api)
        self.scheduled: dict[str, bool] = {}
        item = {
            "id": api.new_id(),
            "title": "System notification events",
            "description": "Reserved event definition for system notification events",
            "priority": 1,
            "alert": False,
            "config": {"type": "system-notifications-v1"},
            "field_spec": {},
            "key_spec": [],
            "notification_settings": {"grace_period_ms": 0, "backlog_size": 0},
            "storage": [SYSTEM_STREAM],
        }
        if self.release.within((4, 3), None):
            self._keep(item, "ENABLED")
            if self.release.within((5, 0), None):
                item["_scope"] = "GRAYLOG_NONDELETEABLE_SCOPE"
            if self.release.has("entities have their source"):
                source = {"source": "SYSTEM", "entity_type": "event_definition", "parent_id": None}
                item["_entity_source"] = source

    def of_stream(self, stream_id: str) -> list[str]:
        return [item["title"] for item in self.items.values() if stream_id in item["config"].get("streams", [])]

    def _keep(self, item: dict, state: str) -> dict:
        self.scheduled[item["id"]] = state == "ENABLED" and item["config"]["type"] != "system-notifications-v1"
        for key in ("notifications", "storage"):
            item[key] = item.get(key) or []
        if SYSTEM_STREAM not in item["storage"] and EVENTS_STREAM not in item["storage"]:
            item["storage"] = [each for each in item["storage"] if each.get("type") != EVENTS_STREAM["type"]]
            item["storage"].append(EVENTS_STREAM)
        item["field_spec"] = item.get("field_spec") or {}
        if self.release.within((5, 0), None):
            item.update(_scope="DEFAULT", state=state, scheduler=None, updated_at=self.api.now())
        if self.release.within((6, 1), None):
            item["matched_at"] = None
        if self.release.within((7, 1), None):
            item["tags"] = item.get("tags") or []
        self.items[item["id"]] = item
        return item

    def _checked(self, given: dict) -> dict:
        if not given["title"]:
            raise invalid(title="Event Definition title cannot be empty.")
        config = dict(given["config"])
        if not config.get("type"):
            raise invalid(config="Event Definition config type cannot be empty.")
        if set(given["key_spec"]) - set(given.get("field_spec") or {}):
            raise invalid(key_spec="Event Definition key_spec can only contain fields defined in field_spec.")
        for entry in given.get("notifications") or []:
            if entry.get("notification_id") not in self.api.notifications.items:
                raise invalid(notifications=f"Notification <{entry.get('notification_id')}> doesn't exist")
        config = fit_config(self.release, config)
        if config["type"] == "aggregation-v1":
            for key in ("search_within_ms", "execute_every_ms"):
                if config[key] <= 0:
                    raise invalid(**{key: f"Filter & Aggregation {key} must be greater than 0."})
            if self.release.within((5, 2), None) and not config.get("series") and not config.get("event_limit"):
                raise invalid(event_limit="Event limit must be greater than 0.")
            has_condition = (config.get("conditions") or {}).get("expression") is not None
            if config["group_by"] and not (config["series"] and has_condition):
                texts = {key: f"Aggregation with group_by must also contain {key}" for key in ("series", "conditions")}
                raise invalid(**texts)
            if has_condition and not config["series"]:
                raise invalid(series="Aggregation with conditions must also contain series")
            if config["series"] and not has_condition:
                raise invalid(conditions="Aggregation with series must also contain conditions")
            if self.release.within((6, 1), None):
                added = {"use_cron_scheduling": False, "cron_expression": None, "cron_timezone": None}
                config = {"stream_categories": [], **added, "event_limit": 0, **config}
        return {**given, "config": config}

    @route("GET", "/events/definitions")
    def list(self, call: Call):
        answer = self._page(call, "event_definitions")
        scheduler = {item["id"]: self._context(item["id"]) for item in answer["event_definitions"]}
        return 200, {**answer, "context": {"scheduler": scheduler}}

    @route("GET", "/events/definitions/paginated", since="paginated elements")
    def pages(self, call: Call):
        return 200, self._elements(call)

    @route("POST", "/events/definitions")
    def create(self, call: Call):
        given = self._checked(self.fit_created(DEFINITION, call.body))
        given["id"] = self.api.new_id()
        return 200, self._keep(given, "ENABLED" if call.flag("schedule", True) else "DISABLED")

    @route("GET", "/events/definitions/{item_id}")
    def read(self, call: Call, item_id: str):
        return 200, self._found(item_id, f"Event definition <{item_id}>")

    @route("GET", "/events/definitions/{item_id}/with-context")
    def read_with_context(self, call: Call, item_id: str):
        item = self._found(item_id, f"Event definition <{item_id}>")
        return 200, {"event_definition": item, "context": {"scheduler": self._context(item_id)}}

    def _context(self, item_id: str) -> dict:
        return {**NOT_SCHEDULED, "is_scheduled": self.scheduled[item_id]}

    @route("PUT", "/events/definitions/{item_id}")
    def update(self, call: Call, item_id: str):
        given = self.fit(DEFINITION, call.body)
        old = self._found(item_id, f"Event definition <{item_id}>")
        if given.get("id") != item_id:
            raise RefusedError(400, "Event definition IDs don't match")
        runs = call.flag("schedule", True) or self.scheduled[old["id"]]
        return 200, self._keep(self._checked(given), "ENABLED" if runs else "DISABLED")

    def _switched(self, item_id: str, state: str):
        item = self._found(item_id, f"Event definition <{item_id}>")
        self.scheduled[item_id] = state == "ENABLED"
        if "state" in item:
            item["state"] = state
        return 204, None

    @route("PUT", "/events/definitions/{item_id}/schedule")
    def schedule(self, call: Call, item_id: str):
        return self._switched(item_id, "ENABLED")

    @route("PUT", "/events/definitions/{item_id}/unschedule")
    def unschedule(self, call: Call, item_id: str):
        return self._switched(item_id, "DISABLED")

    @route("DELETE", "/events/definitions/{item_id}")
    def delete(self, call: Call, item_id: str):
        if self._found(item_id, f"Event definition <{item_id}>")["config"]["type"] == "system-notifications-v1":
            raise RefusedError(403, "Immutable event definitions cannot be deleted")
        del self.items[item_id]
        return 204, None
