"""List the releases of the stand-in, and their differences."""

from __future__ import annotations

# Versions in the answer of GET /, with the build after the plus sign.
# not recorded: 4.3.15, 5.2.12, 6.1.16 and 7.1.7, and of 3.3.11 all but inputs; form: graylog2-server's source at these
# tags and its UPGRADING.md
RELEASES = {
    "3.3.11": "3.3.11+9335407",
    "4.3.15": "4.3.15+7d6bd4b",
    "5.2.12": "5.2.12+ab2d0cb",
    "6.1.16": "6.1.16+3f5d5cb",
    "6.3.7": "6.3.7+79219a1",
    "7.0.1": "7.0.1+29f3984",
    "7.1.7": "7.1.7+5f6ba2d",
}

# Spans of releases in which a feature exists: first release, first release without it (None: none yet).
DIFFERENCES: dict[str, list[tuple[tuple[int, ...], tuple[int, ...] | None]]] = {
    "users by id": [((4, 0), None)],
    "first and last name": [((4, 0), None)],
    "streams can match an input": [((4, 0), None)],
    "charset of inputs": [((5, 0), None)],
    "bulk over HTTP": [((5, 0), None)],
    "streams have alert keys": [((3, 0), (5, 0))],
    "streams have a processor": [((5, 0), None)],
    "paginated elements": [((5, 1), None)],
    "options say is_encrypted": [((5, 1), None)],
    "input update merges": [((5, 1), None)],
    "index sets by lifetime": [((5, 1), None)],
    "titles are stripped": [((6, 0), None)],
    "data tiering": [((6, 1), None)],
    "errors say the place": [((6, 1), None)],
    "HTTP inputs ask for a header": [((6, 1), None)],
    "inputs have a setup mode": [((6, 2), None)],
    "tokens end": [((6, 2), None)],
    "creates are unwrapped leniently": [((6, 3), (7, 0))],
    "tls_key_password is encrypted": [((6, 3, 12), (6, 4)), ((7, 0, 7), (7, 1)), ((7, 1, 1), None)],
    "creates are wrapped": [((7, 0), None)],
    "default is refused for index sets": [((7, 0), None)],
    "index set PUT needs id": [((7, 0), None)],
    "the default stream can be edited": [((7, 0), None)],
    "allow list": [((7, 0), None)],
    "password complexity": [((7, 0), None)],
    "types have a description": [((7, 0), None)],
    "entities have their source": [((7, 0), None)],
    "proxies of HTTP inputs": [((7, 0), None)],
    "categories are a list": [((7, 0), None)],
    "user permissions by id": [((7, 0), None)],
    "failed binds have a number": [((7, 0), None)],
    "state summary of inputs": [((7, 1), None)],
    "omitted stream description is null": [((6, 3), None)],
}


class Release:
    """One release and its features. full: the version in the answer of GET /."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.full = RELEASES[version]
        self.number = tuple(int(part) for part in version.split("."))

    def within(self, since: tuple[int, ...] | None, until: tuple[int, ...] | None) -> bool:
        return (since is None or self.number >= since) and (until is None or self.number < until)

    def has(self, difference: str) -> bool:
        return any(self.within(since, until) for since, until in DIFFERENCES[difference])
