"""Run a module by Ansible on this host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_module(module: str, arguments: dict, *flags: str, home: Path, **environment: str) -> dict:
    """Return the module's result, with `failed` and with Ansible's `output`.

    flags: options of `ansible`, such as --check. home: directory for Ansible's temporary files.
    """
    command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-i", "localhost,", "-c", "local"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [*command, "-m", module, "-a", json.dumps(arguments), *flags],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_HOME": str(home), "ANSIBLE_NOCOLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    answer = re.search(r"^localhost \| (\w+)!? => (\{.*\})", done.stdout, re.MULTILINE | re.DOTALL)
    assert answer, done.stdout + done.stderr
    return {"output": done.stdout, "failed": answer[1] == "FAILED", **json.loads(answer[2])}
