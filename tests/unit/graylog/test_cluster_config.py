"""Settings of the cluster, as each release takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from tests.unit.graylog.standin.settings import FILTERS as FILTER_CHAIN
from tests.unit.graylog.standin.settings import PIPELINE, PROCESSORS, STREAMS

ROLE = Path(__file__).parents[3] / "group_vars/all/graylog.yml"
AT_THE_ENDS = pytest.mark.parametrize("played", ["3.3.11", "7.1.7"], indirect=True)
MODULE = "graylog_cluster_config"
FILTERS, PIPELINES = "Message Filter Chain", "Pipeline Processor"
EVENTS = "org.graylog.events.configuration.EventsConfiguration"
NOTIFY = {"title": "Operators", "value": "https://operators.example.org/notify"}
ANY = {"type": "regex", "value": "^https://any\\.example\\.org/.*$"}


@pytest.mark.parametrize("wish", [[FILTERS, PIPELINES], [PIPELINES, FILTERS]])
def test_processors_are_brought_into_order_and_others_keep_their_places(played, wish):
    before = played.run(MODULE, check=True, message_processors={"order": [FILTERS]})["config"]["order"]
    answer = played.settles(MODULE, message_processors={"order": wish})
    after = answer["config"]["order"]
    assert [name for name in after if name in wish] == wish
    assert [name if name not in wish else None for name in after] == [
        name if name not in wish else None for name in before
    ]


@pytest.fixture(scope="module", autouse=True)
def plugins():
    init_plugin_loader()


def order_of_the_deployment(version: str) -> list[str]:
    loader = DataLoader()
    variables = loader.load_from_file(str(ROLE), trusted_as_template=True) | {"graylog_version": version}
    return Templar(loader=loader, variables=variables).template(variables["graylog_processors"])


def test_messages_are_in_their_streams_before_the_pipelines_read_them(played):
    wish = order_of_the_deployment(played.release.version)
    played.settles(MODULE, message_processors={"order": wish})
    held = played.settings.stored[PROCESSORS]["processor_order"]
    routes = STREAMS if played.release.number >= (5, 0) else FILTER_CHAIN
    assert held.index(FILTER_CHAIN) <= held.index(routes) < held.index(PIPELINE)
    assert wish == [each["class_name"] for each in held if each in (FILTER_CHAIN, STREAMS, PIPELINE)]


@AT_THE_ENDS
def test_processors_are_disabled_by_class_or_title(played):
    geo = "org.graylog.plugins.map.geoip.processor.GeoIpProcessor"
    wish = {"disabled": [geo, "AWS Instance Name Lookup"]}
    answer = played.settles(MODULE, message_processors=wish)
    assert answer["diff"]["after"]["disabled"] == ["AWS Instance Name Lookup", "GeoIP Resolver"]
    answer = played.settles(MODULE, message_processors={"disabled": []})
    assert answer["changed"]
    answer = played.run(MODULE, message_processors={"order": ["Nonsense"]})
    assert "no message processors 'Nonsense'. It has: AWS Instance Name Lookup (" in answer["msg"]


def test_addresses_are_added_changed_and_purged_only_when_asked(played):
    played.settles(MODULE, url_list={"entries": [NOTIFY, {**ANY, "id": "any"}]})
    [first, second] = played.settings.stored[played.settings.list_class]["entries"]
    assert (first["type"], second["id"], second["title"]) == ("literal", "any", ANY["value"])
    answer = played.settles(MODULE, url_list={"entries": [{**ANY, "title": "Any"}]})
    assert len(answer["config"]["entries"]) == 2
    answer = played.settles(MODULE, url_list={"entries": [ANY], "purge": True})
    assert answer["config"]["entries"] == [{**ANY, "title": "Any"}]
    assert played.settings.stored[played.settings.list_class]["entries"][0]["id"] == "any"
    assert played.settles(MODULE, url_list={"disabled": True})["config"]["disabled"] is True
    assert len(played.settings.stored[played.settings.list_class]["entries"]) == 1


def test_a_class_is_changed_in_the_named_settings(played):
    wish = {"class_name": EVENTS, "settings": {"events_search_timeout": 90000}}
    answer = played.settles(MODULE, **wish)
    assert answer["diff"]["before"] == {"events_search_timeout": 60000}
    assert played.settings.stored[EVENTS]["events_notification_retry_period"] == 300000, "what is left open stays"
    assert played.settles(MODULE, class_name=EVENTS, state="absent")["actions"] == ["deleted"]
    assert played.settles(MODULE, **wish)["actions"] == ["created"]


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
def test_what_cannot_be(played, arguments, words):
    answer = played.run(MODULE, **arguments)
    assert answer["failed"]
    assert words in answer["msg"]
