"""Run modules against the stand-in of each release, over HTTP."""

from __future__ import annotations

import pytest

from tests.unit.graylog.runner import LOGIN, Runner
from tests.unit.graylog.standin import RELEASES, StandIn


class ManagedStandIn(StandIn):
    """The stand-in, with a runner of modules: `run(module, **arguments)`."""

    run: Runner

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Return the requests that write; parsing a source writes nothing."""
        return [(method, path) for method, path in self.writes if not path.endswith("/parse")]

    def changed_by(self, *arguments, **options) -> tuple[dict, list[tuple[str, str]]]:
        """Run a module; return its answer and the requests that wrote."""
        before = len(self.changes)
        answer = self.run(*arguments, **options)
        return answer, self.changes[before:]

    def converge(self, module: str, **arguments) -> dict:
        """Check, run and run again; return the answer of the run.

        Check mode writes nothing and reports the same changes; the second run writes nothing.
        """
        checked, written = self.changed_by(module, check=True, **arguments)
        assert not written
        answer = self.run(module, **arguments)
        assert not answer.get("failed"), answer["msg"]
        assert (checked["changed"], checked["diff"]) == (answer["changed"], answer["diff"])
        again, written = self.changed_by(module, **arguments)
        assert (again["changed"], written) == (False, [])
        return answer


@pytest.fixture(params=RELEASES)
def graylog(request, monkeypatch, capsys):
    server = ManagedStandIn(request.param, tuple(LOGIN.values()))
    with server.serve() as url:
        server.run = Runner(url, monkeypatch, capsys)
        yield server
