"""Which versions fit Graylog, and how a value is written in its server.conf."""

from __future__ import annotations

import re

# By Graylog line, from the server's own checks at its start and, for what is older than 5.0, its documentation: the
# search engines by the begin of their version, the oldest and the newest MongoDB (None: no bound), and the Java that
# the host must have (None: the package brings its own). 3.3 has been seen to run on Java 17.
_OLD = {"search": {"elasticsearch": ("6.8.", "7.10.")}, "mongodb": ((3, 6), (4, 4)), "java": (8, 11)}
_FIVE = {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.")}, "mongodb": ((5, 0), None), "java": None}
LINES = {
    "3.3": {"search": {"elasticsearch": ("5.6.", "6.")}, "mongodb": ((3, 6), (4, 2)), "java": (8, 11, 17)},
    "4.0": _OLD,
    "4.1": _OLD,
    "4.2": _OLD,
    "4.3": {**_OLD, "search": {**_OLD["search"], "opensearch": ("1.",)}},
    "5.0": _FIVE,
    "5.1": _FIVE,
    "5.2": _FIVE,
    "6.0": _FIVE,
    "6.1": _FIVE,
    "6.2": _FIVE,
    "6.3": _FIVE,
    "7.0": {**_FIVE, "mongodb": ((7, 0), None)},
    "7.1": {
        "search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.", "3.")},
        "mongodb": ((7, 0), None),
        "java": None,
    },
}
# The patch of each maintained line with all security mends known when this was written; other lines get none any more.
MAINTAINED = {"6.3": 15, "7.0": 12, "7.1": 7}
# Holes that are known by name: the first line that has it, and the first patch without it in each line that was mended.
# Later lines are born without it.
HOLES = {
    "CVE-2021-44228 (Log4Shell)": ("3.3", {"3.3": 15, "4.0": 14, "4.1": 9, "4.2": 3}),
    "GHSA-p6gg-5hf4-4rgj (foreign classes by the cluster's settings)": ("3.3", {"5.1": 11, "5.2": 4}),
    "GHSA-3xf8-g8gr-g7rh (session fixation)": ("4.3", {"5.1": 11, "5.2": 4}),
    "GHSA-q7g5-jq6p-6wvx (HTTP inputs without their login)": ("6.1", {"6.1": 9}),
    "GHSA-76vf-mpmx-777j (HTML in events)": ("6.0", {"6.0": 14, "6.1": 10}),
    "GHSA-3m86-c9x3-vwm9 (tokens for other users)": ("3.3", {"6.2": 4}),
    "GHSA-j769-9gv9-65gr (tokens of other users revoked)": ("6.2", {"6.3": 12, "7.0": 7, "7.1": 2}),
}


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", str(version))
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _holes(line: str, patch: int) -> list[str]:
    """Return the names of the known holes of a release."""
    order = list(LINES)
    here = order.index(line)
    return [
        name
        for name, (since, mended) in HOLES.items()
        if order.index(since) <= here <= max(map(order.index, mended)) and patch < mended.get(line, patch + 1)
    ]


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def graylog_problems(
    graylog: str, search_engine: str, search: str, mongodb: str, java: int, accept_unmaintained: bool = False
) -> list[str]:
    """Return why these versions do not fit together, one sentence each; an empty list where they fit.

    java: the major version that the host gets, which only counts where Graylog's package brings none.
    accept_unmaintained: take a release that lacks security mends, for a lab.
    """
    numbers = _numbers(graylog)
    if len(numbers) != 3:
        return [f"graylog_version {graylog!r} is no full version such as 7.1.7."]
    line, patch = _dotted(numbers[:2]), numbers[2]
    if line not in LINES:
        return [f"Graylog {graylog} is unknown to this role, which knows {', '.join(LINES)}."]
    needs = LINES[line]
    problems = []
    engines = needs["search"]
    if not str(search).startswith(engines.get(search_engine, ())):
        fitting = " or ".join(f"{name} {', '.join(f'{begin}x' for begin in engines[name])}" for name in engines)
        problems.append(f"Graylog {line} does not work with {search_engine} {search}: it needs {fitting}.")
    oldest, newest = needs["mongodb"]
    if _numbers(mongodb)[:2] < oldest:
        problems.append(f"Graylog {line} needs MongoDB {_dotted(oldest)} or later, not {mongodb}.")
    if newest and _numbers(mongodb)[:2] > newest:
        problems.append(f"Graylog {line} needs MongoDB {_dotted(newest)} or earlier, not {mongodb}.")
    if needs["java"] and java not in needs["java"]:
        problems.append(f"Graylog {line} runs on Java {', '.join(map(str, needs['java']))}, not {java}.")
    if not accept_unmaintained and patch < MAINTAINED.get(line, patch + 1):
        mend = f"take {line}.{MAINTAINED[line]} or later" if line in MAINTAINED else f"take {', '.join(MAINTAINED)}"
        named = "".join(f", {hole}" for hole in _holes(line, patch))
        problems.append(
            f"Graylog {graylog} lacks security mends{named}: {mend}, or set graylog_accept_unmaintained in a lab."
        )
    return problems


def graylog_property(value: object) -> str:
    """Return a value as server.conf has it: a properties file in Latin-1 where a backslash stands for itself doubled.

    Lists are joined with commas. Raises ValueError for a line break, which would begin a setting of its own.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(graylog_property(item) for item in value)
    text = str(value)
    if re.search(r"[\r\n\0]", text):
        raise ValueError("a value in server.conf cannot have a line break")
    text = text.replace("\\", "\\\\")
    text = "".join(char if " " <= char <= "~" else _escaped(char) for char in text)
    return re.sub(r"^ ", r"\\ ", text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def graylog_tls_inputs(inputs: list[dict]) -> list[dict]:
    """Return the inputs that speak TLS: those with tls, unless it says enable: false, as graylog_input reads it."""
    return [item for item in inputs if item.get("tls") and item["tls"].get("enable", True)]


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {
            "graylog_problems": graylog_problems,
            "graylog_property": graylog_property,
            "graylog_tls_inputs": graylog_tls_inputs,
        }
