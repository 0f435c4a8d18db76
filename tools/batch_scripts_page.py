"""Write golden scripts into a page as examples: `batch_scripts_page.py [--check]`.

The page is docs/batch-scripts.md. The text before the examples is written by hand. With --check the tool writes nothing
and ends with 1 if the page differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/batch-scripts.md"
GOLDEN = ROOT / "tests/unit/batch_script/golden"
HEADING = "## Examples\n"
OPENING = """
The examples are the golden scripts that the tests compare with the module's output: `tests/unit/batch_script/golden/`.
`cases.py` beside that directory describes them.
"""


def page(hand_written: str) -> str:
    """Return the page: the text before the examples and the golden scripts."""
    text = hand_written + HEADING + OPENING
    for path in sorted(GOLDEN.glob("*.sh")):
        text += f"\n### {path.stem.replace('-', ', ')}\n\n```bash\n{path.read_text()}```\n"
    return text


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 if the page differs")
    before = PAGE.read_text()
    text = page(before.partition(HEADING)[0])
    if not parser.parse_args().check:
        PAGE.write_text(text)
    elif before != text:
        print("docs/batch-scripts.md differs from the golden scripts: run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
