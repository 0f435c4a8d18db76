"""Graylog's REST API made of memory: seven releases, and what each of them refuses."""

from tests.unit.graylog.standin.app import StandIn
from tests.unit.graylog.standin.releases import RELEASES

__all__ = ["RELEASES", "StandIn"]
