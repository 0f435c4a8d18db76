"""Test the module for settings of the cluster with each release."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from tests.unit.graylog.standin.settings import FILTERS as FILTER_CHAIN
from tests.unit.graylog.standin.settings import PIPELINE, PROCESSORS, STREAMS

ROLE = Path(__file__).parents[3] / "group_vars/all/graylog.yml"
AT_THE_ENDS = pytest.mark.parametrize("graylog", ["3.3.11", "7.1.7"], indirect=True)
MODULE = "graylog_cluster_config"
FILTERS, PIPELINES = "Message Filter Chain", "Pipeline Processor"
EVENTS = "org.graylog.events.configuration.EventsConfiguration"
NOTIFY = {"title": "Operators", "value": "https://operators.example.org/notify"}
ANY = {"type": "regex", "value": "^https://any\\.example\\.org/.*$"}


@pytest.mark.parametrize("desired", [[FILTERS, PIPELINES], [PIPELINES, FILTERS]])
def test_processors_are_ordered_and_others_keep_positions(graylog, desired):
    before = graylog.run(MODULE, check=True, message_processors={"order": [FILTERS]})["config"]["order"]
    answer = graylog.converge(MODULE, message_processors={"order": desired})
    after = answer["config"]["order"]
    assert [name for name in after if name in desired] == desired
    assert [name if name not in desired else None for name in after] == [
        name if name not in desired else None for name in before
    ]


@pytest.fixture(scope="module", autouse=True)
def plugins():
    init_plugin_loader()


def order_of_the_deployment(version: str) -> list[str]:
    loader = DataLoader()
    variables = loader.load_from_file(str(ROLE), trusted_as_template=True) | {"graylog_version": version}
    return Templar(loader=loader, variables=variables).template(variables["graylog_processors"])


def test_stream_rules_run_before_pipelines(graylog):
    desired = order_of_the_deployment(graylog.release.version)
    graylog.converge(MODULE, message_processors={"order": desired})
    current = graylog.settings.stored[PROCESSORS]["processor_order"]
    routes = STREAMS if graylog.release.number >= (5, 0) else FILTER_CHAIN
    assert current.index(FILTER_CHAIN) <= current.index(routes) < current.index(PIPELINE)
    assert desired == [each["class_name"] for each in current if each in (FILTER_CHAIN, STREAMS, PIPELINE)]


@AT_THE_ENDS
def test_processors_are_disabled_by_class_or_title(graylog):
    geo = "org.graylog.plugins.map.geoip.processor.GeoIpProcessor"
    desired = {"disabled": [geo, "AWS Instance Name Lookup"]}
    answer = graylog.converge(MODULE, message_processors=desired)
    assert answer["diff"]["after"]["disabled"] == ["AWS Instance Name Lookup", "GeoIP Resolver"]
    answer = graylog.converge(MODULE, message_processors={"disabled": []})
    assert answer["changed"]
    answer = graylog.run(MODULE, message_processors={"order": ["Nonsense"]})
    assert "no message processors 'Nonsense'. It has: AWS Instance Name Lookup (" in answer["msg"]


def test_urls_are_added_updated_and_purged_only_with_purge(graylog):
    graylog.converge(MODULE, url_list={"entries": [NOTIFY, {**ANY, "id": "any"}]})
    [first, second] = graylog.settings.stored[graylog.settings.list_class]["entries"]
    assert (first["type"], second["id"], second["title"]) == ("literal", "any", ANY["value"])
    answer = graylog.converge(MODULE, url_list={"entries": [{**ANY, "title": "Any"}]})
    assert len(answer["config"]["entries"]) == 2
    answer = graylog.converge(MODULE, url_list={"entries": [ANY], "purge": True})
    assert answer["config"]["entries"] == [{**ANY, "title": "Any"}]
    assert graylog.settings.stored[graylog.settings.list_class]["entries"][0]["id"] == "any"
    assert graylog.converge(MODULE, url_list={"disabled": True})["config"]["disabled"] is True
    assert len(graylog.settings.stored[graylog.settings.list_class]["entries"]) == 1


def test_class_changes_only_in_given_settings(graylog):
    desired = {"class_name": EVENTS, "settings": {"events_search_timeout": 90000}}
    answer = graylog.converge(MODULE, **desired)
    assert answer["diff"]["before"] == {"events_search_timeout": 60000}
    assert graylog.settings.stored[EVENTS]["events_notification_retry_period"] == 300000, "omitted settings stay"
    assert graylog.converge(MODULE, class_name=EVENTS, state="absent")["actions"] == ["deleted"]
    assert graylog.converge(MODULE, **desired)["actions"] == ["created"]


@AT_THE_ENDS
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"class_name": "org.graylog.No", "settings": {"a": 1}}, "Stored are: org.graylog"),
        ({"class_name": EVENTS, "settings": {"a": 1}}, "Check the names and types of a"),
        ({"class_name": EVENTS}, "settings"),
        ({"url_list": {}, "state": "absent"}, "class_name"),
        ({"url_list": {}, "class_name": EVENTS}, "mutually exclusive"),
    ],
)
def test_invalid_options_are_refused(graylog, arguments, words):
    answer = graylog.run(MODULE, **arguments)
    assert answer["failed"]
    assert words in answer["msg"]
