"""Run the Graylog modules within the test process, without a host."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

ROOT = Path(__file__).parents[3]
LOGIN = {"username": "admin", "password": "correct horse"}


class Runner:
    """Call modules of library/ for the Graylog at `url`.

    capsys: captures the answer, which a module prints.
    """

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
        self._url = url
        self._capsys = capsys
        # Other tests may have loaded Ansible's controller code, which would print warnings itself.
        monkeypatch.setattr(warnings._internal, "is_controller", False)
        # On a host, Ansible puts library/ below ansible.modules and module_utils/ below ansible.module_utils.
        for path in (ROOT / "module_utils/graylog").glob("[!_]*.py"):
            helper = importlib.import_module(f"module_utils.graylog.{path.stem}")
            monkeypatch.setitem(sys.modules, f"ansible.module_utils.graylog.{path.stem}", helper)

    def __call__(self, name: str, /, check: bool = False, **arguments) -> dict:
        """Return the answer of the module `name`, with `failed` after a failure."""
        spec = importlib.util.spec_from_file_location(f"ansible.modules.{name}", ROOT / "library" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        # Ansible keeps warnings for the process, which here runs several modules.
        warnings._global_warnings.clear()
        spec.loader.exec_module(module)
        given = {"url": self._url, **LOGIN, **arguments, "_ansible_check_mode": check}
        with patch_module_args(given), pytest.raises(SystemExit):
            module.main()
        return json.loads(self._capsys.readouterr().out)
