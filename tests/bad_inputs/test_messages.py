"""Whom a message is about, what happened and when: reliability.md's numbers 34 to 49."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.bad_inputs.conftest import rejects_of, settle
from tests.parts.instance import WRITE_KEY, Instance, ago
from tests.stories.test_published_uses import identify, person, track

TRACK: dict[str, Any] = {"type": "track", "event": "Tried"}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "34 nobody": ({}, "no_id"),
    "34 empty ids": ({"userId": "", "anonymousId": None}, "no_id"),
    "35 a space": ({"userId": " "}, "meaningless_id"),
    "35 null": ({"userId": "null"}, "meaningless_id"),
    "35 undefined": ({"userId": "undefined"}, "meaningless_id"),
    "35 a zero": ({"userId": 0}, "meaningless_id"),
    "35 [object Object]": ({"userId": "[object Object]"}, "meaningless_id"),
    "35 anonymous": ({"anonymousId": "anonymous"}, "meaningless_id"),
    "36 10 KB": ({"userId": "u" * 10_240}, "id_too_long"),
    "36 control characters": ({"userId": "a\rb"}, "bad_id"),
    "41 no name": ({"userId": "u", "event": ""}, "no_event_name"),
    "41 1 KB": ({"userId": "u", "event": "e" * 1_024}, "event_name_too_long"),
    "41 CRLF": ({"userId": "u", "event": "a\r\nb"}, "bad_event_name"),
    "43 words": ({"userId": "u", "timestamp": "yesterday"}, "bad_timestamp"),
    "43 a bad zone": ({"userId": "u", "timestamp": "2026-11-22T10:00:00+99:00"}, "bad_timestamp"),
    "43 a day that is none": ({"userId": "u", "timestamp": "2026-02-30"}, "bad_timestamp"),
    "43 1970": ({"userId": "u", "timestamp": 0}, "timestamp_out_of_range"),
    "43 the year 1": ({"userId": "u", "timestamp": "0001-01-01"}, "timestamp_out_of_range"),
    "43 minus infinity": ({"userId": "u", "timestamp": -1e300}, "timestamp_out_of_range"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_message_that_cannot_be_stored_is_refused_and_listed(
    instance: Instance, name: str
) -> None:
    change, code = REFUSED[name]
    message = TRACK | {"messageId": uuid4().hex} | change

    alone = await instance.http.post("/v1/track", json=message, auth=(WRITE_KEY, ""))
    answer = await instance.send(message)

    assert (alone.status_code, alone.json()["code"]) == (422, code)
    assert [one["code"] for one in answer["rejected"]] == [code]
    await settle(instance)
    listed = (await instance.ask("/v1/rejects", limit=20))["data"]
    assert code in [row["code"] for row in listed]


ODD_IDS = [
    "😀👩‍👩‍👧",
    "\u202eabc",
    "аdmin",
    "a.b.>",
    "*",
    "'; drop table x; --",
    "../../etc",
    "%s%n",
]


@pytest.mark.parametrize("user", ODD_IDS)
async def test_an_odd_id_is_one_persons_id_and_nothing_else(instance: Instance, user: str) -> None:
    """36: a right-to-left override, letters that look alike, words of subjects and of SQL."""
    await instance.send(track(user, "Odd", ago(seconds=1)))

    profile = await instance.until_known(quote(user, safe=""), "Odd")
    assert profile["userId"] == user


async def test_an_id_is_the_same_however_its_letters_are_composed(instance: Instance) -> None:
    """36: NFC and NFD"""
    tag = uuid4().hex
    composed, decomposed = f"{tag}é", f"{tag}e\u0301"

    await instance.send(track(composed, "Composed", ago(seconds=2)))
    await instance.send(track(decomposed, "Composed", ago(seconds=1)))

    await instance.until_known(quote(composed), "Composed", 2)


ODD_EVENTS = [
    "<script>alert(1)</script>",
    "a.b.>",
    "*",
    "'; drop table x; --",
    "خرید",
    "a/b?c",
]


@pytest.mark.parametrize("event", ODD_EVENTS)
async def test_an_odd_event_name_is_stored_as_it_is(instance: Instance, event: str) -> None:
    """41"""
    user, _ = person("odd")

    await instance.send(track(user, event, ago(seconds=1)))

    await instance.until_known(user, event)
    stats = await instance.http.get(f"/v1/events/{quote(event, safe='')}/stats?window=12h")
    assert (stats.status_code, stats.json()["total"] > 0) == (200, True)


@pytest.mark.parametrize(
    "ids",
    [
        [("a1", "a1")],  # 37 to itself
        [("a1", "a2"), ("a2", "a1")],  # 39 in a circle
        [("a1", "a2"), ("a2", "a3"), ("a3", "a1")],
    ],
)
async def test_aliases_to_oneself_and_in_circles_lose_nobody(
    instance: Instance, ids: list[tuple[str, str]]
) -> None:
    """37, 39"""
    tag = uuid4().hex
    people = sorted({f"{name}-{tag}" for pair in ids for name in pair})
    for one in people:
        await instance.send(track(one, "Before", ago(minutes=5)))
    for previous, user in ids:
        message = {
            "type": "alias",
            "messageId": uuid4().hex,
            "previousId": f"{previous}-{tag}",
            "userId": f"{user}-{tag}",
            "timestamp": ago(minutes=1),
        }
        await instance.send(message)
    await settle(instance)

    for one in people:
        await instance.send(track(one, "After", ago()))
        profile = await instance.until_known(one, "After")
        assert profile["events"]["Before"]["count"] == 1


TIMES: dict[str, object] = {
    "43 none": None,
    "43 empty": "",
    "43 ISO without a zone": "2026-11-01T10:00:00",
    "43 a date": "2026-11-01",
    "43 ms since 1970": 1_793_527_200_000,
    "43 s since 1970": 1_793_527_200,
    "43 in ten years": "2036-11-01T10:00:00Z",
    "43 in the year 9999": "9999-12-31T23:59:59.999Z",
    "43 a leap second": "2016-12-31T23:59:60Z",
    "43 infinite": 1e300,
}


@pytest.mark.parametrize("name", TIMES)
async def test_a_time_is_read_or_set_to_the_receipt_and_never_lies_ahead(
    instance: Instance, name: str
) -> None:
    user, _ = person("clock")
    await instance.send({**track(user, "Timed", ago()), "timestamp": TIMES[name]})

    profile = await instance.until_known(user, "Timed")

    assert "2016" <= profile["events"]["Timed"]["last"] <= ago(minutes=-6).replace("+00:00", "Z")


async def test_a_wrong_clock_is_corrected_by_the_time_of_sending(instance: Instance) -> None:
    """44: a device whose clock is five years late."""
    user, _ = person("skewed")
    late = track(user, "Skewed", "2021-11-22T10:00:00Z")
    body = {"batch": [late], "sentAt": "2021-11-22T11:00:00Z"}

    before = ago(hours=1, seconds=1)
    await instance.http.post("/v1/batch", json=body, auth=(WRITE_KEY, ""))

    profile = await instance.until_known(user, "Skewed")
    assert before[:19] <= profile["events"]["Skewed"]["last"] <= ago(minutes=59)


async def test_a_zone_that_is_none_is_refused_and_listed(instance: Instance) -> None:
    """46"""
    user, mail = person("martian")
    message = identify(user, mail, timezone="Mars/X")

    await instance.send(message)

    assert await rejects_of(instance, message["messageId"]) == [("timezone", "bad_timezone")]
    profile = await instance.ask(f"/v1/profiles/{user}")
    assert "timezone" not in profile["attributes"]


async def test_words_of_ours_in_traits_are_plain_attributes(instance: Instance) -> None:
    """47: nobody moves to another workspace, or is let in, by saying so."""
    user, mail = person("tenant")
    message = identify(user, mail, workspace="other", scopes="*", suppressed="no", revision="9")

    await instance.send(message)

    await settle(instance)
    profile = await instance.ask(f"/v1/profiles/{user}")
    assert profile["attributes"]["workspace"] == "other"
    assert profile["known"]


async def test_of_one_id_with_two_payloads_the_first_counts(instance: Instance) -> None:
    """48"""
    user, _ = person("twice")
    first = track(user, "Paid", ago(minutes=2), amount=5)
    second = {**first, "event": "Refunded", "properties": {"amount": -5}}

    await instance.send(first)
    await instance.send(second)
    await instance.send(first, second)

    await settle(instance)
    profile = await instance.ask(f"/v1/profiles/{user}")
    assert {name: e["count"] for name, e in profile["events"].items()} == {"Paid": 1}


async def test_of_two_values_the_later_by_event_time_stands(instance: Instance) -> None:
    """49"""
    user, mail = person("moved")
    later = identify(user, mail, city="Shiraz") | {"timestamp": ago(hours=1)}
    earlier = identify(user, mail, city="Tabriz") | {"timestamp": ago(hours=2)}

    await instance.send(later)
    await instance.send(earlier)

    await settle(instance)
    profile = await instance.ask(f"/v1/profiles/{user}")
    assert profile["attributes"]["city"] == "Shiraz"
