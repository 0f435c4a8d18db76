"""In what the releases of Graylog differ, from 3.3 to 7.x: the one table.

Found in the server's own sources and in sessions with real servers. What is the same in all of them is not here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One release's ways.

    wraps: new streams, definitions, notifications and installations come as {"entity": ..., "share_request": null}.
    users_by_id: a user is changed by id; before, by name.
    splits_names: a user has first_name and last_name; before, full_name.
    token_lifetime: a new token takes a lifetime (token_ttl), and ends after 30 days where none is given.
    matches_inputs: a stream's rule may ask for the input that took the message.
    url_list: path of the list of addresses that Graylog may call.
    tiers: an index set may be kept by data_tiering instead of the rotation and retention strategies.
    lifetimes: an index set may be rotated by how long its messages are kept (time-size-optimizing).
    series_word: how a series of an event definition calls its function.
    limits_events: a definition that makes an event of each message has a limit of them for one search.
    """

    wraps: bool
    users_by_id: bool
    splits_names: bool
    token_lifetime: bool
    matches_inputs: bool
    url_list: str
    tiers: bool
    lifetimes: bool
    series_word: str
    limits_events: bool


def release_of(version: tuple[int, int, int]) -> Release:
    """Return the ways of a release, of its three numbers."""
    number = version[:2]
    return Release(
        wraps=number >= (7, 0),
        users_by_id=number >= (4, 0),
        splits_names=number >= (4, 0),
        token_lifetime=number >= (6, 2),
        matches_inputs=number >= (4, 0),
        url_list="/system/urlallowlist" if number >= (7, 0) else "/system/urlwhitelist",
        tiers=number >= (6, 0),
        lifetimes=number >= (5, 1),
        series_word="type" if number >= (5, 2) else "function",
        limits_events=number >= (5, 2),
    )
