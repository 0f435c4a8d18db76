"""Test the role's filters: compatible versions, and values of server.conf."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "filter_plugins" / "graylog.py"
SPEC = importlib.util.spec_from_file_location("graylog_filters", SOURCE)
FILTERS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(FILTERS)


@pytest.mark.parametrize(
    ("graylog", "engine", "search", "mongodb", "java"),
    [
        ("3.3.11", "elasticsearch", "6.8.23", "4.0.0", 17),
        ("3.3.17", "elasticsearch", "5.6.16", "3.6.23", 8),
        ("4.0.16", "elasticsearch", "7.10.2", "4.4.29", 11),
        ("4.3.15", "opensearch", "1.3.20", "4.4.29", 8),
        ("5.2.12", "opensearch", "2.11.1", "6.0.19", 17),
        ("6.3.15", "opensearch", "2.19.5", "5.0.0", 17),
        ("7.0.12", "elasticsearch", "7.10.2", "7.0.14", 17),
        ("7.1.7", "opensearch", "3.1.0", "8.0.4", 17),
    ],
)
def test_compatible_versions_are_accepted(graylog, engine, search, mongodb, java):
    assert FILTERS.graylog_problems(graylog, engine, search, mongodb, java, accept_unmaintained=True) == []


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        (("7.1.7", "elasticsearch", "6.8.23", "8.0.4", 17), "does not work with elasticsearch 6.8.23"),
        (("7.0.12", "opensearch", "3.1.0", "8.0.4", 17), "does not work with opensearch 3.1.0"),
        (("3.3.11", "opensearch", "2.19.5", "4.0.0", 17), "does not work with opensearch"),
        (("7.0.12", "opensearch", "2.19.5", "6.0.19", 17), "needs MongoDB 7.0 or later, not 6.0.19"),
        (("3.3.11", "elasticsearch", "6.8.23", "4.0.0", 21), "runs on Java 8, 11, 17, not 21"),
        (("3.3.17", "elasticsearch", "6.8.23", "4.4.29", 17), "needs MongoDB 4.2 or earlier, not 4.4.29"),
        (("4.3.15", "elasticsearch", "7.10.2", "5.0.0", 11), "needs MongoDB 4.4 or earlier, not 5.0.0"),
        (("4.2.13", "opensearch", "1.3.20", "4.4.29", 11), "does not work with opensearch 1.3.20"),
        (("4.2.13", "elasticsearch", "7.17.9", "4.4.29", 11), "does not work with elasticsearch 7.17.9"),
        (("4.3.15", "elasticsearch", "7.10.2", "4.4.29", 17), "runs on Java 8, 11, not 17"),
        (("8.0.0", "opensearch", "3.1.0", "8.0.4", 17), "unknown to this role"),
        (("7.1", "opensearch", "2.19.5", "8.0.4", 17), "no full version"),
        (("latest", "opensearch", "2.19.5", "8.0.4", 17), "no full version"),
    ],
)
def test_incompatible_versions_are_reported(versions, words):
    problems = FILTERS.graylog_problems(*versions, accept_unmaintained=True)
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize(
    ("graylog", "search", "mongodb", "fix"),
    [
        ("7.1.6", "2.19.5", "8.0.4", "take 7.1.7 or later"),
        ("6.2.10", "2.19.5", "8.0.4", "take 6.3, 7.0, 7.1"),
    ],
)
def test_unmaintained_releases_are_refused(graylog, search, mongodb, fix):
    assert fix in FILTERS.graylog_problems(graylog, "opensearch", search, mongodb, 17)[0]
    assert FILTERS.graylog_problems(graylog, "opensearch", search, mongodb, 17, accept_unmaintained=True) == []


@pytest.mark.parametrize(
    ("graylog", "vulnerability", "has_it"),
    [
        ("3.3.14", "Log4Shell", True),
        ("3.3.15", "Log4Shell", False),
        ("4.3.0", "Log4Shell", False),  # appeared after the fix
        ("4.2.13", "GHSA-3xf8", False),  # appeared before the bug
        ("4.3.15", "GHSA-3xf8", True),
        ("5.0.13", "GHSA-3xf8", True),  # never fixed in this line
        ("5.2.3", "GHSA-3xf8", True),
        ("5.2.4", "GHSA-3xf8", False),
        ("6.2.3", "GHSA-3m86", True),
        ("6.2.4", "GHSA-3m86", False),
        ("6.2.12", "GHSA-j769", True),
        ("7.1.2", "GHSA-j769", False),
    ],
)
def test_vulnerabilities_are_reported_by_name(graylog, vulnerability, has_it):
    problems = FILTERS.graylog_problems(graylog, "opensearch", "2.19.5", "8.0.4", 17)
    assert "lacks security fixes" in problems[-1]
    assert (vulnerability in problems[-1]) is has_it


def test_tables_are_ordered_and_consistent():
    lines = list(FILTERS.LINES)
    assert lines == sorted(lines)
    named = {line for since, fixed in FILTERS.VULNERABILITIES.values() for line in (since, *fixed)}
    assert named | set(FILTERS.MAINTAINED) <= set(lines)


def test_maintained_release_needs_no_consent():
    assert FILTERS.graylog_problems("7.1.9", "opensearch", "2.19.5", "8.0.4", 17) == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (False, "false"),
        (5, "5"),
        ("", ""),
        (["a", "b"], "a,b"),
        ("C:\\logs", "C:\\\\logs"),
        (" x", "\\ x"),
        ("Köln", "K\\u00f6ln"),
        ("a\tb", "a\\u0009b"),
        ("\U0001f600", "\\ud83d\\ude00"),
    ],
)
def test_values_are_escaped_for_properties_file(value, written):
    assert FILTERS.graylog_property(value) == written


@pytest.mark.parametrize("value", ["a\nroot_username = eve", "a\r", "\0"])
def test_value_cannot_inject_setting(value):
    with pytest.raises(ValueError, match="line break"):
        FILTERS.graylog_property(value)
