"""Manage pipelines of Graylog and their rules, with titles in their sources."""

from __future__ import annotations

import re
from abc import abstractmethod

from .client import GraylogClient, GraylogError
from .reconcile import DesiredStateError, Resource, only

RULES = "/system/pipelines/rule"
PIPELINES = "/system/pipelines/pipeline"
CONNECTIONS = "/system/pipelines/connections"
COMMENT = r"(?:\s+|//[^\n]*(?:\n|$)|/\*.*?\*/)*"


def pipelines(client: GraylogClient) -> list[dict]:
    """Return all pipelines."""
    return client.request("GET", PIPELINES)


def title_of(keyword: str, source: str) -> str:
    """Return the quoted title behind `keyword` (rule, pipeline).

    Raises DesiredStateError if the source has none.
    """
    match = re.match(rf'{COMMENT}{keyword}\s+"((?:[^"\\]|\\.)*)"', source, re.DOTALL)
    if not match:
        first_line = source.strip().splitlines()[0] if source.strip() else ""
        raise DesiredStateError(f'The source {first_line!r} has no title: it must begin with {keyword} "TITLE"')
    return re.sub(r"\\(.)", r"\1", match[1])


def tidy(source: str) -> str:
    """Remove trailing blanks from lines, and empty lines from the end of a source."""
    return "\n".join(line.rstrip() for line in source.splitlines()).rstrip()


class Program(Resource):
    """The common base of rules and pipelines.

    keyword: first word of the source. source: None for a program to be deleted by its title.
    description: None leaves it unchanged.
    """

    keyword: str
    path: str

    def __init__(
        self, client: GraylogClient, title: str | None, source: str | None, description: str | None = None
    ) -> None:
        self._client = client
        self._source = None if source is None else tidy(source)
        self._description = description
        self._parsed: dict | None = None
        self.name = title if self._source is None else title_of(self.keyword, self._source)
        if title is not None and title != self.name:
            raise DesiredStateError(
                f"The {self.kind} {title!r} has the title {self.name!r} in its source: make the two agree"
            )

    def find(self) -> dict | None:
        """Return the program, or None."""
        programs = self._client.request("GET", self.path)
        return only(self.kind, self.name, [item for item in programs if item["title"] == self.name])

    def current(self, item: dict) -> dict:
        """Return title, description and source."""
        return {
            "title": item["title"],
            "description": item.get("description") or "",
            "source": tidy(item["source"]),
        }

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError if Graylog cannot parse a new source.
        """
        current = self.current(item) if item else {"description": "", "source": None}
        if current["source"] != self._source:
            self._parse()
        description = current["description"] if self._description is None else self._description
        return {"title": self.name, "description": description, "source": self._source}

    def _parse(self) -> dict:
        """Return the source as parsed by Graylog, which stores nothing of it."""
        if self._parsed is None:
            body = {"title": self.name, "description": "", "source": self._source}
            try:
                self._parsed = self._client.request("POST", f"{self.path}/parse", body)
            except GraylogError as error:
                if error.status != 400:
                    raise
                raise DesiredStateError(f"The source of the {self.kind} {self.name!r} has an error: {error}") from error
        return self._parsed

    @abstractmethod
    def _check_references(self) -> None:
        """Raise DesiredStateError if the source names a missing object."""

    def create(self) -> None:
        """Create the program."""
        self._check_references()
        self._client.request("POST", self.path, self.desired(None))

    def update(self, item: dict) -> None:
        """Replace the program."""
        self._check_references()
        self._client.request("PUT", f"{self.path}/{item['id']}", self.desired(item))


class PipelineRule(Program):
    """A rule, which pipelines refer to by title."""

    kind = "pipeline rule"
    keyword = "rule"
    path = RULES

    def _check_references(self) -> None:
        """Check nothing: a rule refers to no other object."""

    def delete(self, item: dict) -> None:
        """Delete the rule.

        Raises DesiredStateError if a pipeline still refers to it, which would break.
        """
        users = sorted(pipeline["title"] for pipeline in pipelines(self._client) if self.name in _rules(pipeline))
        if users:
            raise DesiredStateError(
                f"The pipeline rule {self.name!r} is used by the pipelines {', '.join(users)}: change them first"
            )
        self._client.request("DELETE", f"{self.path}/{item['id']}")


class Pipeline(Program):
    """A pipeline, which streams are connected to."""

    kind = "pipeline"
    keyword = "pipeline"
    path = PIPELINES

    def _check_references(self) -> None:
        existing = {rule["title"] for rule in self._client.request("GET", RULES)}
        missing = sorted(_rules(self._parse()) - existing)
        if missing:
            raise DesiredStateError(
                f"The pipeline {self.name!r} needs the rules {', '.join(missing)}, which do not exist: "
                "create them first"
            )

    def delete(self, item: dict) -> None:
        """Delete the pipeline and its connections to streams."""
        connections = self._client.request("GET", CONNECTIONS)
        if any(item["id"] in connection["pipeline_ids"] for connection in connections):
            body = {"pipeline_id": item["id"], "stream_ids": []}
            self._client.request("POST", f"{CONNECTIONS}/to_pipeline", body)
        self._client.request("DELETE", f"{self.path}/{item['id']}")


def _rules(pipeline: dict) -> set[str]:
    return {rule for stage in pipeline.get("stages") or [] for rule in stage["rules"]}
