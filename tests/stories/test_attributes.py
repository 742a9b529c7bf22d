"""S2.6 to S2.9, S2.11 and S2.12: what is stored of people, what is not, and where one reads why."""

import asyncio
import sqlite3
from typing import Any
from uuid import uuid4

import pytest

from tests.parts.instance import Instance, ago
from tests.stories.test_published_uses import identify, person, track
from tests.stories.visits import change, rejects_of, settle


async def test_the_first_value_fixes_an_attributes_type(instance: Instance) -> None:
    """S2.7, S2.12: a value of another type is not stored, and is reported."""
    (first, mail), (second, _) = person("first"), person("second")
    name = f"level {uuid4().hex[:8]}"
    good = identify(first, mail, **{name: 7})
    bad = identify(second, mail, **{name: "seven", name.upper(): "another attribute"})

    await instance.send(good)
    await instance.send(bad)

    profile = await settle(instance, second)
    assert name not in profile["attributes"]
    assert profile["attributes"][name.upper()] == "another attribute"
    assert await rejects_of(instance, bad) == [(name, "wrong_type")]
    assert (await settle(instance, first))["attributes"][name] == 7


async def test_the_last_of_a_batch_without_times_is_the_latest(instance: Instance) -> None:
    """S2.8: whatever the messages' ids are."""
    user, mail = person("batch")
    batch = [identify(user, mail, floor=number) for number in range(20)]
    for message in batch:
        message.pop("timestamp", None)

    await instance.send(*batch)

    assert (await settle(instance, user))["attributes"]["floor"] == 19


async def test_the_first_value_fixes_an_event_propertys_type(instance: Instance) -> None:
    """S0.2"""
    user, _ = person("typed")
    event = f"Typed {uuid4().hex[:8]}"
    bad = track(user, event, ago(minutes=1), amount="five", currency="EUR")

    await instance.send(track(user, event, ago(minutes=2), amount=5))
    await instance.send(bad)

    await settle(instance, user)
    assert await rejects_of(instance, bad) == [("amount", "wrong_type")]
    timeline = (await instance.ask(f"/v1/profiles/{user}/timeline"))["data"]
    stored = [entry["properties"] for entry in timeline if entry["name"] == event]
    assert stored == [{"currency": "EUR"}, {"amount": 5}]


async def test_limits_of_attributes_are_kept_and_reported(instance: Instance) -> None:
    """S2.6, S2.7, S2.12: long strings are cut; long names and a 26th date are refused."""
    user, mail = person("limits")
    dates = {f"date {number:02}": "2026-11-22" for number in range(26)}
    message = identify(user, mail, notes="n" * 1_001, **{"n" * 51: "x", "n" * 50: "x"}, **dates)

    await instance.send(message)

    profile = await settle(instance, user)
    assert profile["attributes"]["notes"] == "n" * 1_000
    assert profile["attributes"]["n" * 50] == "x"
    assert "n" * 51 not in profile["attributes"]
    assert sum(name.startswith("date ") for name in profile["attributes"]) == 25
    assert sorted(await rejects_of(instance, message)) == [
        ("date 25", "too_many_attributes"),
        ("n" * 50, "attribute_name"),
        ("notes", "cut"),
    ]


async def test_system_attributes_are_read_and_what_is_none_is_reported(instance: Instance) -> None:
    """S2.6"""
    user, mail = person("system")
    good = identify(user, mail, birthday="1370-01-01", gender="f", timezone="Asia/Tehran")
    bad = identify(user, "nobody", phone="12", birth_date="soon", timezone="Mars/X")
    bad["timestamp"] = ago(days=1)

    await instance.send(good, bad)

    profile = await settle(instance, user)
    assert profile["attributes"] == {
        "email": mail,
        "first_name": user,
        "birth_date": "1370-01-01",
        "gender": "f",
        "timezone": "Asia/Tehran",
    }
    assert sorted(await rejects_of(instance, bad)) == [
        ("birth_date", "bad_date"),
        ("email", "bad_email"),
        ("mobile", "bad_mobile"),
        ("timezone", "bad_timezone"),
    ]


async def test_attributes_are_set_unset_counted_and_listed(instance: Instance) -> None:
    """S2.8"""
    user, mail = person("operations")
    set_first = identify(user, mail, coins=5, tags=["a"], plan="gold", city="Tehran")
    set_first["timestamp"] = ago(hours=9)

    await instance.send(set_first)
    await instance.send(change(user, ago(hours=8), increment={"coins": 3, "visits": 1}))
    await instance.send(change(user, ago(hours=7), increment={"coins": -1.5}, add={"tags": "b"}))
    await instance.send(change(user, ago(hours=6), add={"tags": ["b", "c"]}, unset=["plan"]))
    await instance.send(change(user, ago(hours=5), remove={"tags": "a"}))
    await instance.send(identify(user, mail, city=None, coins="") | {"timestamp": ago(hours=4)})

    attributes = (await settle(instance, user))["attributes"]
    assert (attributes["coins"], attributes["visits"], attributes["tags"]) == (6.5, 1, ["b", "c"])
    assert "plan" not in attributes
    assert attributes["city"] == "Tehran"


async def test_a_change_that_comes_twice_or_late_counts_once_and_in_its_place(
    instance: Instance,
) -> None:
    """S2.8: an increment is not repeated with its message, and a late value goes under it."""
    user, mail = person("late")
    increment = change(user, ago(hours=1), increment={"points": 3})
    late = identify(user, mail, points=10) | {"timestamp": ago(hours=2)}

    await instance.send(increment)
    await instance.send(increment, increment)
    await instance.send(late)

    assert (await settle(instance, user))["attributes"]["points"] == 13


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        ({"increment": {"score": 2**62}}, 2**62),
        ({"increment": {"weight": 1e308}}, 1e308),
        ({"increment": {"first_name": 5}}, None),
    ],
)
async def test_an_operation_never_makes_a_value_of_another_kind(
    instance: Instance, operation: dict[str, Any], found: object
) -> None:
    """S2.7: neither a number that no store holds, nor a number where a text belongs."""
    user, _ = person("operated")
    (name,) = operation["increment"]

    for hours in (3, 2):
        await instance.send(change(user, ago(hours=hours), **operation))

    profile = await settle(instance, user)
    assert profile["attributes"].get(name) == found


async def test_unsetting_names_that_do_not_exist_leaves_nothing_behind(instance: Instance) -> None:
    """A browser's key must not be able to grow a profile without limit."""
    user, _ = person("unset")
    await instance.send(track(user, "Seen", ago()))

    for number in range(20):
        names = [f"no such name {number} {index}" for index in range(500)]
        await instance.send(change(user, ago(minutes=1), unset=names))

    await settle(instance, user)
    size = await asyncio.to_thread(_largest_state, instance)
    assert size < 100_000


def _largest_state(instance: Instance) -> int:
    path = instance.folder / "data" / "angarium.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        ((size,),) = database.execute("select max(length(state)) from profiles")
    database.close()
    return int(size)


NUMBERS = [
    "09121234567",
    "9121234567",
    "989121234567",
    "+989121234567",
    "00989121234567",
    "۰۹۱۲۱۲۳۴۵۶۷",
    "٠٩١٢١٢٣٤٥٦٧",
    "0912 123 45 67",
    "0912-123-4567",
    "+۹۸ ۹۱۲ ۱۲۳ ۴۵۶۷",
]


@pytest.mark.parametrize("number", NUMBERS)
async def test_iranian_numbers_become_e164(instance: Instance, number: str) -> None:
    """S2.11"""
    user, mail = person("caller")

    await instance.send(identify(user, mail, phone=number))

    profile = await settle(instance, user)
    assert profile["attributes"]["mobile"] == "+989121234567"
    assert profile["consents"]["sms"]["state"] == "opted_in"


async def test_attributes_serve_audiences_and_texts(instance: Instance) -> None:
    """S2.9: also one that somebody chose freely, with a space in its name."""
    (inside, mail), (outside, other_mail) = person("inside"), person("outside")
    event = f"Event {uuid4().hex}"
    campaign = await instance.campaign(
        "For gold",
        {"trigger": {"event": event}},
        audience={"attribute": "card colour", "is": "gold"},
        content={"email": {"subject": "{{ profile['card colour'] }}", "text": "Hello"}},
    )

    await instance.send(identify(inside, mail, **{"card colour": "gold"}))
    await instance.send(identify(outside, other_mail, **{"card colour": "blue"}))
    await instance.send(track(inside, event, ago(seconds=1)), track(outside, event, ago(seconds=1)))

    await instance.until_stats(campaign, accepted=1, enrolled=1)
    assert [sent["headers"]["subject"] for sent in instance.mails(mail)] == ["gold"]
    assert instance.mails(other_mail) == []
