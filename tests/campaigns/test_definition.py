"""What a campaign's definition may say (api.md, Campaign), and how its faults are told."""

import copy
from typing import Any

import msgspec
import pytest

from angarium.core.campaigns.definition import CampaignDefinition, FrequencyCap, parse_campaign
from angarium.core.campaigns.hours import ActiveHours
from angarium.core.delivery.templates import check_template
from angarium.core.segments.conditions import (
    Facts,
    InvalidDefinition,
    matches,
    where_matches,
)

DAY = 86_400_000
CHANNELS = ("email", "sms", "push", "web_push")

ABANDONED_CART: dict[str, Any] = {
    "name": "Abandoned cart",
    "class": "marketing",
    "audience": {"attribute": "city", "is": "Tehran"},
    "leave_cancels": False,
    "send_at": {
        "trigger": {"event": "AddToCart", "where": {"property": "amount", "more_than": 100}},
        "delay": "P1D",
        "stop": {"event": "Purchase"},
        "retrigger": "restart",
        "same_device": False,
    },
    "active_hours": {"zone": "person", "mon": ["09:00-21:00"]},
    "limit": {"per_person": 2, "within": "P1D"},
    "expires_after": "PT6H",
    "content": {
        "order": ["push", "sms"],
        "email": {"subject": "Hi {{ profile.first_name }}", "html": "<p>Hi", "from": "S <s@x.org>"},
        "sms": {"text": "Your cart of {{ event.properties.amount }} waits"},
        "push": {
            "title": "Your cart",
            "body": "waits",
            "image": "https://x.org/{{ event.properties.id }}.png",
            "link": "shop://cart",
            "buttons": [{"id": "buy", "title": "Buy", "link": "shop://buy"}],
            "data": {"cart": "{{ event.properties.id }}", "n": 1, "vip": True},
            "silent": False,
            "collapse": "cart",
            "ttl": "PT1H",
        },
        "web_push": {"title": "Your cart", "body": "waits"},
    },
}


def parse(body: Any) -> CampaignDefinition:
    return parse_campaign(body, channels=CHANNELS, check_template=check_template)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The abandoned cart with one member set to something else; `...` takes it out."""
    body = copy.deepcopy(ABANDONED_CART)
    inside: Any = body
    *parents, last = path.strip("/").split("/")
    for name in parents:
        inside = inside[int(name)] if isinstance(inside, list) else inside[name]
    key: Any = int(last) if isinstance(inside, list) else last
    if value is ...:
        del inside[key]
    else:
        inside[key] = value
    return body


def faults(body: Any) -> dict[str, str]:
    with pytest.raises(InvalidDefinition) as raised:
        parse(body)
    return dict(raised.value.errors)


def test_the_published_example_is_understood() -> None:
    definition = parse(ABANDONED_CART)

    assert definition.name == "Abandoned cart"
    assert definition.class_ == "marketing"
    assert definition.audience is not None
    assert matches(definition.audience, Facts(attributes={"city": "Tehran"}), 0)
    on = definition.send_at
    assert (on.trigger.event, on.delay, on.retrigger) == ("AddToCart", DAY, "restart")
    assert on.trigger.where is not None
    assert where_matches(on.trigger.where, {"amount": 101}, 0)
    assert on.stop is not None
    assert (on.stop.event, on.stop.where, on.same_device) == ("Purchase", None, False)
    assert definition.active_hours == ActiveHours("person", (((540, 1260),), *((),) * 6))
    assert definition.limit == FrequencyCap(2, DAY)
    assert definition.expires_after == DAY // 4
    assert definition.content.order == ("push", "sms")
    assert definition.content.messages["sms"] == ABANDONED_CART["content"]["sms"]


def test_it_is_given_back_as_it_came() -> None:
    assert parse(ABANDONED_CART).raw == ABANDONED_CART
    assert parse(msgspec.json.encode(ABANDONED_CART)).raw == ABANDONED_CART


def test_the_least_that_a_campaign_must_say() -> None:
    definition = parse(
        {
            "name": "Welcome",
            "send_at": {"trigger": {"event": "Signed Up"}},
            "content": {"sms": {"text": "Welcome"}},
        }
    )

    assert definition.class_ == "marketing"
    assert definition.audience is None
    on = definition.send_at
    assert (on.delay, on.stop, on.retrigger, on.same_device) == (0, None, "restart", False)
    assert definition.active_hours is None
    assert definition.limit is None
    assert definition.expires_after is None
    assert definition.content.order == ("sms",)


def test_a_null_counts_as_left_out() -> None:
    definition = parse({**changed("/content/push/image", None), "limit": None, "audience": None})

    assert definition.limit is None
    assert definition.audience is None
    assert "image" not in definition.content.messages["push"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/name", ..., "is missing"),
        ("/name", " ", "must not be empty"),
        ("/name", "x" * 201, "200 are allowed"),
        ("/name", 5, "must be text"),
        ("/name", "a\0b", "U+0000"),
        ("/class", "urgent", "must be one of marketing, transactional"),
        ("/tenant_id", "t2", "has no meaning here; there may be name, class"),
        ("/audience", "everyone", "must be an object"),
        ("/audience/equals", "x", "no operator here"),
        ("/leave_cancels", "yes", "true or false"),
        ("/send_at", ..., "is missing"),
        ("/send_at", "now", "only campaigns fired by an event"),
        ("/send_at", "smart", "only campaigns fired by an event"),
        ("/send_at", {"at": "2026-12-01T09:00:00+03:30"}, "only campaigns fired by an event"),
        ("/send_at", {"every": "0 9 * * *", "zone": "Asia/Tehran"}, "only campaigns fired by"),
        ("/send_at", 5, "must be an object"),
        ("/send_at/trigger", "AddToCart", "must be an object"),
        ("/send_at/trigger/event", "", "must not be empty"),
        ("/send_at/trigger/event", "x" * 201, "200 are allowed"),
        ("/send_at/trigger/where/over", 3, "no operator here"),
        ("/send_at/trigger/every", 3, "there may be event, where"),
        ("/send_at/delay", 0, "an ISO 8601 duration such as PT30M"),
        ("/send_at/delay", -1, "an ISO 8601 duration"),
        ("/send_at/delay", 10**12, "an ISO 8601 duration"),
        ("/send_at/delay", "-PT1S", "must lie between 0 seconds and 365 days"),
        ("/send_at/delay", "P366D", "must lie between 0 seconds and 365 days"),
        ("/send_at/stop/event", ..., "is missing"),
        ("/send_at/stop/within", "P1D", "there may be event, where"),
        ("/send_at/retrigger", "twice", "must be one of restart, ignore, each"),
        ("/send_at/same_device", 1, "true or false"),
        ("/active_hours", {"zone": "person"}, "is never open"),
        ("/active_hours", {"mon": []}, "is never open"),
        ("/active_hours/zone", "Mars/X", "must be person, or a zone such as Asia/Tehran"),
        ("/active_hours/monday", ["09:00-10:00"], "there may be zone, mon, tue"),
        ("/active_hours/mon", "09:00-10:00", "must be a list"),
        ("/active_hours/mon/0", "9-17", "must be a span such as 09:00-21:00"),
        ("/active_hours/mon/0", "09:00-24:01", "must be a span such as 09:00-21:00"),
        ("/active_hours/mon/0", "09:00-25:00", "must be a span such as 09:00-21:00"),
        ("/active_hours/mon/0", "09:00", "must be a span such as 09:00-21:00"),
        ("/active_hours/mon/0", 9, "must be a span such as 09:00-21:00"),
        ("/active_hours/mon/0", "22:00-02:00", "22:00-24:00 and, on the next day, 00:00-02:00"),
        ("/active_hours/mon/0", "09:00-09:00", "must end after it begins"),
        ("/limit/per_person", 0, "a whole number from 1 to 1000"),
        ("/limit/per_person", True, "a whole number from 1 to 1000"),
        ("/limit/within", "PT0S", "must lie between 1 second and 365 days"),
        ("/limit/within", ..., "is missing"),
        ("/expires_after", "PT0S", "must lie between 1 second and 365 days"),
        ("/expires_after", "P1M", "an ISO 8601 duration"),
        ("/content", ..., "is missing"),
        ("/content", {}, "says nothing"),
        ("/content", {"order": ["sms"]}, "says nothing"),
        ("/content", "hi", "must be an object"),
    ],
)
def test_a_fault_is_told_where_it_lies(path: str, value: Any, words: str) -> None:
    found = faults(changed(path, value))

    assert words in found[path], found


def test_all_faults_are_told_at_once() -> None:
    body = changed("/name", "")
    body["class"] = "x"
    body["send_at"]["delay"] = 5
    body["content"]["sms"] = {}
    body["limit"] = {"per_person": 0, "within": 0}

    assert list(faults(body)) == [
        "/name",
        "/class",
        "/send_at/delay",
        "/limit/per_person",
        "/limit/within",
        "/content/sms/text",
    ]


def test_leaving_the_audience_means_nothing_without_one() -> None:
    body = changed("/audience", ...)
    body["leave_cancels"] = True

    assert "add one" in faults(body)["/leave_cancels"]


def test_the_same_device_means_nothing_without_a_stop() -> None:
    body = changed("/send_at/stop", ...)
    body["send_at"]["same_device"] = True

    assert "add a stop" in faults(body)["/send_at/same_device"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"5", b"{", b'{"name": NaN}', b"[" * 100_000, b'"\xff"', b"{}x"]
)
def test_what_is_no_object_is_one_fault(body: bytes) -> None:
    assert list(faults(body)) == [""]


def test_a_stored_definition_is_read_again_without_its_channels() -> None:
    body = {**ABANDONED_CART, "content": {"fax": {"text": "{{ broken"}}}

    assert parse_campaign(msgspec.json.encode(body)).content.order == ("fax",)
