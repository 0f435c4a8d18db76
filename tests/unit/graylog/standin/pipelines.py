"""Serve /system/pipelines: rules, pipelines and connections to streams.

Titles come from the sources.
"""

from __future__ import annotations

import re

from tests.unit.graylog.standin.routes import Call, Resource, paged, route
from tests.unit.graylog.standin.shapes import ANY, LIST, TEXT, TEXTS, RefusedError, Shape, needed, optional

REST = "org.graylog.plugins.pipelineprocessor.rest"
SOURCE_KEYS = {
    "id": optional(TEXT),
    "title": optional(TEXT),
    "description": optional(TEXT),
    "source": needed(TEXT),
    "created_at": optional(TEXT),
    "modified_at": optional(TEXT),
}
RULE = Shape(
    f"{REST}.RuleSource",
    {
        **SOURCE_KEYS,
        "rule_builder": optional(ANY, since=(5, 1)),
        "simulator_message": optional(TEXT, since=(5, 1)),
        "_scope": optional(TEXT, since=(6, 0)),
    },
)
PIPELINE = Shape(f"{REST}.PipelineSource", {**SOURCE_KEYS, "stages": optional(LIST), "_scope": optional(TEXT)})
TO_STREAM = Shape(
    f"{REST}.PipelineConnections", {"id": optional(TEXT), "stream_id": needed(TEXT), "pipeline_ids": needed(TEXTS)}
)
TO_PIPELINE = Shape(f"{REST}.PipelineReverseConnections", {"pipeline_id": needed(TEXT), "stream_ids": needed(TEXTS)})
NAME = r'"(?:[^"\\]|\\.)*"'
STAGE = re.compile(rf"stage\s+(-?\d+)\s+match\s+(all|either|pass)\s*((?:rule\s+{NAME}\s*;?\s*)*)", re.IGNORECASE)


def syntax_error(source: str, position: int, expected: str) -> RefusedError:
    """Return the error for a source: a list of the parser's errors."""
    before = source[:position]
    word = (source[position:].split() or ["<EOF>"])[0]
    error = {
        "type": "syntax_error",
        "line": before.count("\n") + 1,
        "position_in_line": position - (before.rfind("\n") + 1),
        "reason": f"mismatched input '{word}' expecting {expected}",
    }
    return RefusedError(400, [error])


def name_of(kind: str, source: str) -> tuple[str, int]:
    """Return the name in a source, and the offset of the rest."""
    start = re.match(rf"\s*{kind}\b\s*", source)
    if not start:
        raise syntax_error(source, len(source) - len(source.lstrip()), f"'{kind}'")
    name = re.compile(NAME).match(source, start.end())
    if not name:
        raise syntax_error(source, start.end(), "String")
    return name[0][1:-1], name.end()


def parse_rule(source: str) -> str:
    name, rest = name_of("rule", source)
    # `when` and `end` are required; the text between them is not parsed.
    for word in ("when", "then", "end"):
        found = re.compile(rf"\b{word}\b").search(source, rest)
        if not found:
            raise syntax_error(source, len(source), word.capitalize())
        rest = found.end()
    return name


def parse_pipeline(source: str) -> tuple[str, list[dict]]:
    name, rest = name_of("pipeline", source)
    stages = []
    while (match := STAGE.match(source, rest + len(source[rest:]) - len(source[rest:].lstrip()))) is not None:
        rules = [each[1:-1] for each in re.findall(NAME, match[3])]
        stages.append({"stage": int(match[1]), "match": match[2].upper(), "rules": rules})
        rest = match.end()
    if not re.compile(r"\s*end\s*;?\s*$").match(source, rest):
        raise syntax_error(source, rest, "End")
    return name, stages


class Sources(Resource):
    """The common base of rules and pipelines."""

    path = ""
    shape = RULE

    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}

    def built(self, given: dict) -> dict:
        raise NotImplementedError

    def get(self, item_id: str) -> dict:
        if item_id not in self.items:
            raise RefusedError(404, f"No {self.path} with id {item_id}")
        return self.items[item_id]

    def _base(self, given: dict, title: str) -> dict:
        now = self.api.now()
        item = {
            "id": None,
            "title": title,
            "description": given.get("description"),
            "source": given["source"],
            "created_at": now,
            "modified_at": now,
            "errors": None,
        }
        return {**item, "_scope": "DEFAULT"} if self.release.within((6, 0), None) else item

    def _unique(self, item: dict, item_id: str | None = None) -> None:
        for other in self.items.values():
            if other["title"] == item["title"] and other["id"] != item_id:
                database = "MongoDB server" if self.release.within((7, 0), None) else "server"
                error = (
                    f"E11000 duplicate key error collection: graylog.pipeline_processor_{self.path}s "
                    f'index: title_1 dup key: {{ title: "{item["title"]}" }}'
                )
                raise RefusedError(
                    500,
                    f"Write operation error on {database} 127.0.0.1:27117. "
                    f"Write error: WriteError{{code=11000, message='{error}', details={{}}}}.",
                )

    def parse(self, call: Call):
        return 200, self.built(self.fit(self.shape, call.body))

    def list(self, call: Call):
        return 200, list(self.items.values())

    def create(self, call: Call):
        item = self.built(self.fit(self.shape, call.body))
        self._unique(item)
        item["id"] = self.api.new_id()
        self.items[item["id"]] = item
        return 200, item

    def read(self, call: Call, item_id: str):
        return 200, self.get(item_id)

    def update(self, call: Call, item_id: str):
        old = self.get(item_id)
        item = self.built(self.fit(self.shape, call.body))
        self._unique(item, item_id)
        old.update({**item, "id": item_id, "created_at": old["created_at"]})
        return 200, old

    def delete(self, call: Call, item_id: str):
        self.get(item_id)
        del self.items[item_id]
        return 204, None

    def handlers(self):
        base = f"/system/pipelines/{self.path}"
        for method, path, handler in (
            ("POST", f"{base}/parse", self.parse),
            ("GET", base, self.list),
            ("POST", base, self.create),
            ("GET", f"{base}/{{item_id}}", self.read),
            ("PUT", f"{base}/{{item_id}}", self.update),
            ("DELETE", f"{base}/{{item_id}}", self.delete),
        ):
            yield method, re.compile(path.replace("{item_id}", "(?P<item_id>[^/]+)")), handler
        yield from super().handlers()


class Rules(Sources):
    path = "rule"

    def built(self, given: dict) -> dict:
        item = self._base(given, parse_rule(given["source"]))
        if self.release.has("paginated elements"):
            item.update(rule_builder=given.get("rule_builder"), simulator_message=given.get("simulator_message"))
        return item

    @route("GET", "/system/pipelines/rule/paginated", since="users by id")
    def pages(self, call: Call):
        items, page, size = paged(list(self.items.values()), call)
        pagination = {"total": len(self.items), "count": len(items), "page": page, "per_page": size}
        return 200, {"query": "", "pagination": pagination, "total": len(self.items), "rules": items}


class Pipelines(Sources):
    path = "pipeline"
    shape = PIPELINE

    def built(self, given: dict) -> dict:
        title, stages = parse_pipeline(given["source"])
        return {**self._base(given, title), "stages": stages}

    def delete(self, call: Call, item_id: str):
        answer = super().delete(call, item_id)
        self.api.connections.forget_pipeline(item_id)
        return answer


class Connections(Resource):
    """Pipelines by stream; an empty entry remains after the last disconnect."""

    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict] = {}

    def _set(self, stream_id: str, pipeline_ids: list[str]) -> dict:
        entry = self.items.setdefault(stream_id, {"id": self.api.new_id(), "stream_id": stream_id})
        entry["pipeline_ids"] = list(dict.fromkeys(pipeline_ids))
        return entry

    def forget_stream(self, stream_id: str) -> None:
        self.items.pop(stream_id, None)

    def forget_pipeline(self, pipeline_id: str) -> None:
        for entry in self.items.values():
            entry["pipeline_ids"] = [each for each in entry["pipeline_ids"] if each != pipeline_id]

    @route("GET", "/system/pipelines/connections")
    def list(self, call: Call):
        return 200, list(self.items.values())

    @route("GET", "/system/pipelines/connections/{stream_id}")
    def read(self, call: Call, stream_id: str):
        if stream_id not in self.items:
            # not recorded: a stream that never had any; form: MongoDbPipelineStreamConnectionsService.java
            raise RefusedError(404, f"No pipeline connections for stream {stream_id}")
        return 200, self.items[stream_id]

    @route("POST", "/system/pipelines/connections/to_stream")
    def to_stream(self, call: Call):
        given = self.fit(TO_STREAM, call.body)
        self.api.streams.get(given["stream_id"])
        for pipeline_id in given["pipeline_ids"]:
            self.api.pipelines.get(pipeline_id)
        return 200, self._set(given["stream_id"], given["pipeline_ids"])

    @route("POST", "/system/pipelines/connections/to_pipeline")
    def to_pipeline(self, call: Call):
        given = self.fit(TO_PIPELINE, call.body)
        mine = given["pipeline_id"]
        self.api.pipelines.get(mine)
        for stream_id in given["stream_ids"]:
            self.api.streams.get(stream_id)
        changed = []
        for stream_id in {*given["stream_ids"], *self.items}:
            old = self.items.get(stream_id, {}).get("pipeline_ids", [])
            wanted = stream_id in given["stream_ids"]
            if wanted != (mine in old):
                changed.append(self._set(stream_id, [*old, mine] if wanted else [each for each in old if each != mine]))
        return 200, changed
