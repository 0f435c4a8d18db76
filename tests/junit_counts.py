"""Print the numbers of passed and failed tests that a JUnit file holds: `python3 tests/junit_counts.py FILE`."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def counts(path: Path) -> tuple[int, int]:
    """Return (passed, failed) over all suites of the file; a skipped test counts as neither."""
    suites = list(ElementTree.parse(path).iter("testsuite"))
    failed = sum(int(suite.get("failures", 0)) + int(suite.get("errors", 0)) for suite in suites)
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    return sum(int(suite.get("tests", 0)) for suite in suites) - failed - skipped, failed


if __name__ == "__main__":
    print(*counts(Path(sys.argv[1])))
