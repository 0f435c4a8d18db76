"""Define the differences between the content packs of Graylog's major releases.

Source: the classes with which the servers parse a pack, in org.graylog.plugins.views.search (views.widgets.aggregation,
searchtypes.pivot) and org.graylog2.contentpacks.model.entities.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """The pack format of a major release.

    since: the first release that accepts the pack.
    field_lists: groups have a list of fields (fields). Before 5.1 they have one field (field), which 5.1 and later
        accept too.
    empty_values: groups need skip_empty_values to leave out messages without the field. The first releases of 5 refuse
        this key, as every server refuses unknown keys.
    starts: relative time ranges have a start (from, since 4.1) instead of a length (range).
    row_numbers: tables need show_row_numbers.
    """

    major: int
    since: str
    field_lists: bool
    empty_values: bool
    starts: bool
    row_numbers: bool

    def grouped(self, field: str) -> dict:
        """Return the key for the field of a group."""
        return {"fields": [field]} if self.field_lists else {"field": field}

    def limited(self, limit: int) -> dict:
        """Return the keys that limit a group to its most frequent values."""
        return {"limit": limit, **({"skip_empty_values": True} if self.empty_values else {})}

    def range(self, seconds: int) -> dict:
        """Return a relative time range of the last ``seconds``."""
        return {"type": "relative", ("from" if self.starts else "range"): seconds}

    def query(self, words: str) -> dict:
        """Return a query of Elasticsearch's query string syntax."""
        return {"type": "elasticsearch", "query_string": words}


RELEASES = (
    Release(3, "3.3.0", field_lists=False, empty_values=False, starts=False, row_numbers=False),
    Release(4, "4.0.0", field_lists=False, empty_values=False, starts=False, row_numbers=False),
    Release(5, "5.0.0", field_lists=False, empty_values=False, starts=True, row_numbers=False),
    Release(6, "6.0.0", field_lists=True, empty_values=True, starts=True, row_numbers=False),
    Release(7, "7.0.0", field_lists=True, empty_values=True, starts=True, row_numbers=True),
)
