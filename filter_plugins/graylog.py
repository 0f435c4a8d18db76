"""Filters for Graylog: check versions, write server.conf, select inputs."""

from __future__ import annotations

import re

# Requirements by Graylog line: prefixes of the search engines' versions, the oldest and the newest MongoDB (None: no
# limit), and the Java versions for the host (None: the package includes Java). The sources are the server's own checks
# at its start and, before 5.0, its documentation. 3.3 was tested on Java 17.
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
# The patch release with all known security fixes in each maintained line. Other lines get no more fixes.
MAINTAINED = {"6.3": 15, "7.0": 12, "7.1": 7}
# Known vulnerabilities: the first affected line, and the fixed patch release of each fixed line. Later lines are not
# affected.
VULNERABILITIES = {
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


def _vulnerabilities(line: str, patch: int) -> list[str]:
    """Return the names of the known vulnerabilities of a release."""
    order = list(LINES)
    here = order.index(line)
    return [
        name
        for name, (since, fixed) in VULNERABILITIES.items()
        if order.index(since) <= here <= max(map(order.index, fixed)) and patch < fixed.get(line, patch + 1)
    ]


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def graylog_problems(
    graylog: str, search_engine: str, search: str, mongodb: str, java: int, accept_unmaintained: bool = False
) -> list[str]:
    """Return a sentence for each reason why these versions do not work together.

    graylog, search, mongodb: full versions, such as 7.1.7.
    search_engine: elasticsearch or opensearch.
    java: the major version on the host, checked only if Graylog's package does not include Java.
    accept_unmaintained: accept a release without all security fixes, for a lab.
    """
    numbers = _numbers(graylog)
    if len(numbers) != 3:
        return [f"graylog_version {graylog!r} is no full version: set it to one such as 7.1.7."]
    line, patch = _dotted(numbers[:2]), numbers[2]
    if line not in LINES:
        return [f"Graylog {graylog} is unknown to this role: use {', '.join(LINES)}."]
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
        fix = f"take {line}.{MAINTAINED[line]} or later" if line in MAINTAINED else f"take {', '.join(MAINTAINED)}"
        names = "".join(f", {name}" for name in _vulnerabilities(line, patch))
        problems.append(
            f"Graylog {graylog} lacks security fixes{names}: {fix}, or set graylog_accept_unmaintained in a lab."
        )
    return problems


def graylog_property(value: object) -> str:
    """Return a value in the format of server.conf, a Java properties file in Latin-1.

    Backslashes are doubled and lists joined with commas. Raises ValueError for a line break, which would start another
    setting.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(graylog_property(item) for item in value)
    text = str(value)
    if re.search(r"[\r\n\0]", text):
        raise ValueError("a value in server.conf cannot have a line break: remove it")
    text = text.replace("\\", "\\\\")
    text = "".join(char if " " <= char <= "~" else _escaped(char) for char in text)
    return re.sub(r"^ ", r"\\ ", text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def graylog_tls_inputs(inputs: list[dict]) -> list[dict]:
    """Return the inputs with TLS: with ``tls``, and without ``enable: false`` in it."""
    return [item for item in inputs if item.get("tls") and item["tls"].get("enable", True)]


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self):
        return {
            "graylog_problems": graylog_problems,
            "graylog_property": graylog_property,
            "graylog_tls_inputs": graylog_tls_inputs,
        }
