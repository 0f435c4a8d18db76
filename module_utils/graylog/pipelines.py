"""Pipelines of Graylog and their rules: both are programs, and their titles are in the programs' text."""

from __future__ import annotations

import re
from abc import abstractmethod

from .client import GraylogClient, GraylogError
from .reconcile import Resource, WishError, only

RULES = "/system/pipelines/rule"
PIPELINES = "/system/pipelines/pipeline"
CONNECTIONS = "/system/pipelines/connections"
COMMENT = r"(?:\s+|//[^\n]*(?:\n|$)|/\*.*?\*/)*"


def pipelines(client: GraylogClient) -> list[dict]:
    """Return all pipelines."""
    return client.request("GET", PIPELINES)


def title_of(word: str, source: str) -> str:
    """Return the title in a source, which stands in quotes behind `word` (rule, pipeline). Raises WishError."""
    match = re.match(rf'{COMMENT}{word}\s+"((?:[^"\\]|\\.)*)"', source, re.DOTALL)
    if not match:
        begin = source.strip().splitlines()[0] if source.strip() else ""
        raise WishError(f'The source {begin!r} has no title: it must begin with {word} "TITLE"')
    return re.sub(r"\\(.)", r"\1", match[1])


def tidy(source: str) -> str:
    """Return a source without blanks at the lines' ends and without empty lines at its end."""
    return "\n".join(line.rstrip() for line in source.splitlines()).rstrip()


class Program(Resource):
    """What rules and pipelines have in common.

    word: what the source begins with. source: None where only the title is known, for a program that shall go.
    description: None leaves it as it is.
    """

    word: str
    path: str

    def __init__(
        self, client: GraylogClient, title: str | None, source: str | None, description: str | None = None
    ) -> None:
        self._client = client
        self._source = None if source is None else tidy(source)
        self._description = description
        self._parsed: dict | None = None
        self.name = title if self._source is None else title_of(self.word, self._source)
        if title is not None and title != self.name:
            raise WishError(f"The source of the {self.kind} {title!r} calls it {self.name!r}: make them agree")

    def find(self) -> dict | None:
        """Return it, None where there is none."""
        held = self._client.request("GET", self.path)
        return only(self.kind, self.name, [item for item in held if item["title"] == self.name])

    def picture(self, item: dict) -> dict:
        """Return it as it is."""
        return {
            "title": item["title"],
            "description": item.get("description") or "",
            "source": tidy(item["source"]),
        }

    def wished(self, item: dict | None) -> dict:
        """Return it as it shall be. Raises WishError where Graylog cannot read a source that it does not have yet."""
        held = self.picture(item) if item else {"description": "", "source": None}
        if held["source"] != self._source:
            self._parse()
        description = held["description"] if self._description is None else self._description
        return {"title": self.name, "description": description, "source": self._source}

    def _parse(self) -> dict:
        """Return what Graylog reads in the source; it keeps nothing of it."""
        if self._parsed is None:
            body = {"title": self.name, "description": "", "source": self._source}
            try:
                self._parsed = self._client.request("POST", f"{self.path}/parse", body)
            except GraylogError as error:
                if error.status != 400:
                    raise
                raise WishError(f"The source of the {self.kind} {self.name!r} has an error: {error}") from error
        return self._parsed

    @abstractmethod
    def _look_at_references(self) -> None:
        """Raise WishError where it names something that is not there."""

    def create(self) -> None:
        """Make it."""
        self._look_at_references()
        self._client.request("POST", self.path, self.wished(None))

    def update(self, item: dict) -> None:
        """Change it."""
        self._look_at_references()
        self._client.request("PUT", f"{self.path}/{item['id']}", self.wished(item))


class PipelineRule(Program):
    """A rule, which pipelines name by its title."""

    kind = "pipeline rule"
    word = "rule"
    path = RULES

    def _look_at_references(self) -> None:
        """A rule names nothing."""

    def delete(self, item: dict) -> None:
        """Take it away. Raises WishError where a pipeline still names it, which would stop working."""
        users = sorted(held["title"] for held in pipelines(self._client) if self.name in _rules(held))
        if users:
            raise WishError(
                f"The pipeline rule {self.name!r} is used by the pipelines {', '.join(users)}: change them before"
            )
        self._client.request("DELETE", f"{self.path}/{item['id']}")


class Pipeline(Program):
    """A pipeline, which streams are connected to."""

    kind = "pipeline"
    word = "pipeline"
    path = PIPELINES

    def _look_at_references(self) -> None:
        held = {rule["title"] for rule in self._client.request("GET", RULES)}
        missing = sorted(_rules(self._parse()) - held)
        if missing:
            raise WishError(
                f"The pipeline {self.name!r} names the rules {', '.join(missing)}, which are not there: make them first"
            )

    def delete(self, item: dict) -> None:
        """Take it away, and its connections to streams."""
        connections = self._client.request("GET", CONNECTIONS)
        if any(item["id"] in connection["pipeline_ids"] for connection in connections):
            body = {"pipeline_id": item["id"], "stream_ids": []}
            self._client.request("POST", f"{CONNECTIONS}/to_pipeline", body)
        self._client.request("DELETE", f"{self.path}/{item['id']}")


def _rules(pipeline: dict) -> set[str]:
    return {rule for stage in pipeline.get("stages") or [] for rule in stage["rules"]}
