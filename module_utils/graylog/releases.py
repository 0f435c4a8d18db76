"""List the differences between the releases of Graylog, from 3.3 to 7.x.

Sources: the server's own code, and sessions with real servers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """The features of one release.

    wraps: new streams, definitions, notifications and installations are {"entity": ..., "share_request": null}.
    users_by_id: a user is changed by id; in older releases, by name.
    splits_names: a user has first_name and last_name; in older releases, full_name.
    token_lifetime: a new token has a lifetime (token_ttl), 30 days by default.
    matches_inputs: a stream's rule can match the input that received the message.
    url_list: path of the list of allowed URLs.
    tiers: an index set can have data_tiering instead of rotation and retention strategies.
    lifetimes: an index set can be rotated by the lifetime of its messages (time-size-optimizing).
    series_key: key of the function in a series of an event definition.
    limits_events: a definition without aggregation has a maximum of events per search.
    """

    wraps: bool
    users_by_id: bool
    splits_names: bool
    token_lifetime: bool
    matches_inputs: bool
    url_list: str
    tiers: bool
    lifetimes: bool
    series_key: str
    limits_events: bool


def release_of(version: tuple[int, int, int]) -> Release:
    """Return the features of a release, given its version."""
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
        series_key="type" if number >= (5, 2) else "function",
        limits_events=number >= (5, 2),
    )
