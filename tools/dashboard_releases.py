"""In what the content packs of the major releases of Graylog differ: the one table.

Read in the classes that the servers parse a pack with, in org.graylog.plugins.views.search (views.widgets.aggregation,
searchtypes.pivot) and org.graylog2.contentpacks.model.entities.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One major release's ways.

    since: the first release that takes the pack.
    field_lists: what a series is counted for is a list (fields). Before 5.1 it is one (field), which 5.1 and later
        read too.
    empty_values: that messages without a field that is counted for are left out has to be said (skip_empty_values).
        The first releases of 5 refuse the word, as every server refuses keys that it does not know.
    starts: a range of time that ends now says where it starts (from, since 4.1); before, how long it is (range).
    row_numbers: whether a table numbers its rows has to be said (show_row_numbers).
    """

    major: int
    since: str
    field_lists: bool
    empty_values: bool
    starts: bool
    row_numbers: bool

    def grouped(self, field: str) -> dict:
        """Return the field that something is counted for."""
        return {"fields": [field]} if self.field_lists else {"field": field}

    def limited(self, limit: int) -> dict:
        """Return that only the most frequent values are shown."""
        return {"limit": limit, **({"skip_empty_values": True} if self.empty_values else {})}

    def range(self, seconds: int) -> dict:
        """Return the last seconds as a range of time."""
        return {"type": "relative", ("from" if self.starts else "range"): seconds}

    def query(self, words: str) -> dict:
        """Return a query."""
        return {"type": "elasticsearch", "query_string": words}


RELEASES = (
    Release(3, "3.3.0", field_lists=False, empty_values=False, starts=False, row_numbers=False),
    Release(4, "4.0.0", field_lists=False, empty_values=False, starts=False, row_numbers=False),
    Release(5, "5.0.0", field_lists=False, empty_values=False, starts=True, row_numbers=False),
    Release(6, "6.0.0", field_lists=True, empty_values=True, starts=True, row_numbers=False),
    Release(7, "7.0.0", field_lists=True, empty_values=True, starts=True, row_numbers=True),
)
