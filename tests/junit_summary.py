"""Print a summary of a JUnit file: `python3 tests/junit_summary.py FILE`.

The first line has the numbers of passed and failed tests, every further line a failed test and the reason.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def counts(root: ElementTree.Element) -> tuple[int, int]:
    """Return (passed, failed) of all suites, without skipped tests."""
    suites = list(root.iter("testsuite"))
    failed = sum(int(suite.get("failures", 0)) + int(suite.get("errors", 0)) for suite in suites)
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    return sum(int(suite.get("tests", 0)) for suite in suites) - failed - skipped, failed


def failures(root: ElementTree.Element) -> list[str]:
    """Return a line for each failed test: name and first 200 characters of the reason."""
    lines = []
    for case in root.iter("testcase"):
        for reason in (*case.iter("failure"), *case.iter("error")):
            text = " ".join(reason.get("message", "").split())
            lines.append(f"{case.get('name')}: {text[:200]}")
    return lines


if __name__ == "__main__":
    tree = ElementTree.parse(Path(sys.argv[1])).getroot()
    print(*counts(tree))
    print(*failures(tree), sep="\n")
