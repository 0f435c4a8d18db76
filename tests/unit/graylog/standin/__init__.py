"""Stand in for Graylog's REST API, in memory, with the errors of seven releases."""

from tests.unit.graylog.standin.app import StandIn
from tests.unit.graylog.standin.releases import RELEASES

__all__ = ["RELEASES", "StandIn"]
