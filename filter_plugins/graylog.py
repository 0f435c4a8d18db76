"""Which versions fit Graylog, and how a value is written in its server.conf."""

from __future__ import annotations

import re

# By Graylog line, from the server's own checks at its start: the search engines by the begin of their version, the
# oldest MongoDB, and the Java that the host must have. None: the package brings its own Java.
LINES = {
    "3.3": {"search": {"elasticsearch": ("5.6.", "6.")}, "mongodb": (3, 6), "java": (8, 11, 17)},
    "6.0": {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.")}, "mongodb": (5, 0), "java": None},
    "6.1": {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.")}, "mongodb": (5, 0), "java": None},
    "6.2": {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.")}, "mongodb": (5, 0), "java": None},
    "6.3": {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.")}, "mongodb": (5, 0), "java": None},
    "7.0": {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.")}, "mongodb": (7, 0), "java": None},
    "7.1": {"search": {"elasticsearch": ("7.10.",), "opensearch": ("1.", "2.", "3.")}, "mongodb": (7, 0), "java": None},
}
# The patch of each maintained line with all security mends known when this was written; other lines get none any more.
MAINTAINED = {"6.3": 15, "7.0": 12, "7.1": 7}


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", str(version))
    return tuple(int(part) for part in match[0].split(".")) if match else ()


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
    line = f"{numbers[0]}.{numbers[1]}"
    if line not in LINES:
        return [f"Graylog {graylog} is unknown to this role, which knows {', '.join(LINES)}."]
    needs = LINES[line]
    problems = []
    engines = needs["search"]
    if not str(search).startswith(engines.get(search_engine, ())):
        fitting = " or ".join(f"{name} {', '.join(f'{begin}x' for begin in engines[name])}" for name in engines)
        problems.append(f"Graylog {line} does not work with {search_engine} {search}: it needs {fitting}.")
    if _numbers(mongodb)[:2] < needs["mongodb"]:
        problems.append(f"Graylog {line} needs MongoDB {'.'.join(map(str, needs['mongodb']))} or later, not {mongodb}.")
    if needs["java"] and java not in needs["java"]:
        problems.append(f"Graylog {line} runs on Java {', '.join(map(str, needs['java']))}, not {java}.")
    if not accept_unmaintained and numbers[2] < MAINTAINED.get(line, numbers[2] + 1):
        mend = f"take {line}.{MAINTAINED[line]} or later" if line in MAINTAINED else f"take {', '.join(MAINTAINED)}"
        problems.append(f"Graylog {graylog} lacks security mends: {mend}, or set graylog_accept_unmaintained in a lab.")
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
