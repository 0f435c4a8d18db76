"""Serve /views/search, /views and /dashboards, with unvalidated states."""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, paged, route
from tests.unit.graylog.standin.shapes import (
    ANY,
    BOOL,
    LIST,
    MAP,
    TEXT,
    TEXTS,
    RefusedError,
    Shape,
    fit_created,
    needed,
    optional,
)

VIEW = Shape(
    "org.graylog.plugins.views.search.views.ViewDTO",
    {
        "id": optional(TEXT),
        "type": optional(TEXT),
        "title": needed(TEXT),
        "summary": optional(TEXT),
        "description": optional(TEXT),
        "search_id": needed(TEXT),
        "properties": optional(TEXTS),
        "requires": optional(MAP),
        "state": needed(MAP),
        "owner": optional(TEXT),
        "created_at": optional(TEXT),
        "last_updated_at": optional(TEXT, since=(5, 1)),
        "favorite": optional(BOOL, since=(5, 1)),
    },
    builder=True,
)
SEARCH = Shape(
    "org.graylog.plugins.views.search.Search",
    {
        "id": optional(TEXT),
        "queries": needed(LIST),
        "parameters": optional(LIST),
        "skip_no_streams_check": optional(BOOL, since=(6, 0)),
        "requires": optional(MAP),
        "owner": optional(TEXT),
        "created_at": optional(TEXT),
    },
    builder=True,
)
QUERY = Shape(
    "org.graylog.plugins.views.search.Query",
    {
        "id": needed(TEXT),
        "timerange": needed(MAP),
        "filter": optional(ANY),
        "filters": optional(LIST, since=(4, 2)),
        "query": needed(MAP),
        "search_types": optional(LIST),
    },
    builder=True,
)
ATTRIBUTES = [
    {"id": "_id", "title": "id", "type": "OBJECT_ID", "sortable": True, "searchable": True, "hidden": True},
    {"id": "title", "title": "Title", "type": "STRING", "sortable": True, "searchable": True},
    {"id": "created_at", "title": "Created", "type": "DATE", "sortable": True, "filterable": True},
]
SOURCE = {
    "id": "_entity_source.source",
    "title": "Source",
    "type": "STRING",
    "sortable": False,
    "filterable": True,
    "related_collection": "entity_source",
    "related_property": "entity_id",
    "filter_options": [{"value": "USER_DEFINED", "title": "User Defined"}, {"value": "SYSTEM", "title": "System"}],
}


class Views(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        self.searches: dict[str, dict] = {}
        self.items: dict[str, dict] = {}
        if self.release.within((5, 0), None):
            text = "This is a list of all sources that sent in messages."
            state = {"title": "Sources", "summary": text, "description": text, "state": {}}
            item = self._keep({**state, "search_id": self.api.new_id()}, self.api.new_id(), api.admin[0])
            if self.release.has("entities have their source"):
                item["_entity_source"] = {"source": "SYSTEM", "entity_type": "view", "parent_id": None}

    def _keep(self, given: dict, view_id: str, owner: str) -> dict:
        blank = {"type": "DASHBOARD", "summary": "", "description": "", "properties": [], "requires": {}}
        stamps = {"owner": owner, "created_at": self.api.now()}
        if self.release.has("paginated elements"):
            stamps.update(last_updated_at=self.api.now(), favorite=False)
        given = {key: value for key, value in given.items() if value is not None}
        self.items[view_id] = {**blank, **given, "id": view_id, **stamps}
        return self.items[view_id]

    def get(self, view_id: str) -> dict:
        if view_id not in self.items:
            raise RefusedError(404, f"View {view_id} doesn't exist")
        return self.items[view_id]

    # not recorded: all refusals but of a search that is not there; form: ViewsResource.java, ViewDTO.java
    def _checked(self, given: dict) -> dict:
        if given.get("type") not in (None, "DASHBOARD", "SEARCH"):
            raise RefusedError(400, f"No enum constant ViewDTO.Type.{given['type']}")
        if not given["title"].strip():
            raise RefusedError(400, "title must not be blank")
        if given["search_id"] not in self.searches:
            raise RefusedError(400, f"Search {given['search_id']} not available")
        queries = {query["id"] for query in self.searches[given["search_id"]]["queries"]}
        if set(given["state"]) - queries:
            raise RefusedError(
                400, f"Search queries do not correspond to view/state queries, missing query IDs: {queries}"
            )
        return given

    @route("POST", "/views/search")
    def create_search(self, call: Call):
        given = self.fit(SEARCH, call.body)
        queries = []
        for query in given["queries"]:
            blank = {"filter": None, "search_types": []}
            blank.update({"filters": []} if self.release.within((4, 2), None) else {})
            queries.append({**blank, **self.fit(QUERY, query)})
        search = {"id": given.get("id") or self.api.new_id(), "queries": queries}
        search["parameters"] = given.get("parameters") or []
        if self.release.within((6, 0), None):
            search["skip_no_streams_check"] = given.get("skip_no_streams_check") or False
        else:
            search.update(requires=given.get("requires") or {}, owner=call.user, created_at=self.api.now())
        self.searches[search["id"]] = search
        return 201, search

    @route("GET", "/views/search/{search_id}")
    def read_search(self, call: Call, search_id: str):
        if search_id not in self.searches:
            raise RefusedError(404, f"Search with id {search_id} does not exist")
        return 200, self.searches[search_id]

    def _page(self, call: Call, kinds: tuple[str, ...]) -> dict:
        wanted = call.query.get("query", "").lower()
        found = [item for item in self.items.values() if item["type"] in kinds and wanted in item["title"].lower()]
        items, page, size = paged(found, call)
        answer = {
            "query": call.query.get("query"),
            "pagination": {"total": len(found), "count": len(items), "page": page, "per_page": size},
            "total": len(found),
            "sort": "title",
            "order": "asc",
        }
        if not self.release.has("paginated elements"):
            return {**answer, "views": items}
        summaries = [{key: value for key, value in item.items() if key != "state"} for item in items]
        defaults = {"sort": {"id": "title", "direction": "ASC"}}
        attributes = [*ATTRIBUTES, SOURCE] if self.release.has("entities have their source") else ATTRIBUTES
        return {**answer, "elements": summaries, "attributes": attributes, "defaults": defaults}

    @route("GET", "/dashboards")
    def dashboards(self, call: Call):
        return 200, self._page(call, ("DASHBOARD",))

    @route("GET", "/views")
    def list(self, call: Call):
        return 200, self._page(call, ("DASHBOARD", "SEARCH"))

    @route("POST", "/views")
    def create(self, call: Call):
        given = self._checked(self.fit_created(VIEW, call.body))
        return 200, self._keep(given, given.get("id") or self.api.new_id(), call.user)

    @route("GET", "/views/{view_id}")
    def read(self, call: Call, view_id: str):
        return 200, self.get(view_id)

    @route("PUT", "/views/{view_id}")
    def update(self, call: Call, view_id: str):
        """Update a view: the only PUT that is wrapped like a create."""
        given = self._checked(fit_created(self.release, VIEW, call.body))
        old = self.get(view_id)
        return 200, {**self._keep(given, view_id, old["owner"]), "created_at": old["created_at"]}

    @route("DELETE", "/views/{view_id}")
    def delete(self, call: Call, view_id: str):
        return 200, self.items.pop(self.get(view_id)["id"])
