"""S2: who people are, over HTTP on a whole instance: visits, logins, attributes, consent."""

import asyncio
import sqlite3
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.parts.instance import WRITE_KEY, Instance, ago
from tests.stories.test_published_uses import identify, person, track


def visitor() -> str:
    return f"visitor-{uuid4().hex}"


def visit(anonymous_id: str, event: str, timestamp: str, **properties: Any) -> dict[str, Any]:
    message = track("", event, timestamp, **properties)
    del message["userId"]
    return {**message, "anonymousId": anonymous_id}


def login(user: str, anonymous_id: str, timestamp: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": user,
        "anonymousId": anonymous_id,
        "messageId": uuid4().hex,
        "timestamp": timestamp,
        **more,
    }


def change(user: str, timestamp: str, **operations: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": user,
        "messageId": uuid4().hex,
        "timestamp": timestamp,
        "operations": operations,
    }


async def settle(instance: Instance, user: str) -> dict[str, Any]:
    """The person once everything sent so far is applied."""
    event = f"Settled {uuid4().hex}"
    await instance.send(track(user, event, ago()))
    profile = await instance.until_known(user, event)
    profile["events"] = {n: e["count"] for n, e in profile["events"].items() if "Settled" not in n}
    return profile


async def rejects_of(instance: Instance, message: dict[str, Any]) -> list[tuple[str, str]]:
    """What of a message was not stored: field and code."""
    listed = (await instance.ask("/v1/rejects", limit=100))["data"]
    mine = [row for row in listed if row["messageId"] == message["messageId"]]
    assert all(row["reason"] for row in mine)
    return [(row["field"], row["code"]) for row in mine]


async def test_three_visits_and_a_login_are_one_person(instance: Instance) -> None:
    """S2.1, S2.2, S2.3: day 1 anonymous A1, day 3 A2, day 7 login: one profile that holds all."""
    user, mail = person("seven-days")
    first, second = visitor(), visitor()

    await instance.send(visit(first, "Viewed", ago(days=7), page="hats"))
    await instance.send(
        {**visit(first, "", ago(days=7)), "type": "identify", "traits": {"city": "Shiraz"}}
    )
    await instance.send(visit(second, "Viewed", ago(days=4)), visit(second, "Liked", ago(days=4)))
    await until_visited(instance, second, "Liked")
    before = await instance.ask(f"/v1/profiles/anonymous:{first}")
    assert (before["known"], before["userId"]) == (False, None)
    await instance.send(
        login(
            user,
            second,
            ago(minutes=1),
            traits={"email": mail},
            context={"previousAnonymousIds": [first]},
        )
    )

    profile = await settle(instance, user)
    assert profile["known"]
    assert sorted(profile["anonymousIds"]) == sorted([first, second])
    assert profile["events"] == {"Viewed": 2, "Liked": 1}
    assert profile["attributes"] | {"city": "Shiraz", "email": mail} == profile["attributes"]
    for anonymous_id in (first, second):
        same = await instance.ask(f"/v1/profiles/anonymous:{anonymous_id}")
        assert same["id"] == profile["id"]
    timeline = (await instance.ask(f"/v1/profiles/{user}/timeline"))["data"]
    names = [entry["name"] for entry in timeline if entry["kind"] == "event"]
    assert (names.count("Viewed"), names.count("Liked")) == (2, 1)


async def until_visited(instance: Instance, anonymous_id: str, event: str) -> None:
    await instance.until_known(f"anonymous:{anonymous_id}", event)


@pytest.mark.parametrize("order", ["as it happened", "backwards", "the last login first"])
async def test_what_somebody_else_does_on_the_device_after_a_logout_is_theirs(
    instance: Instance, order: str
) -> None:
    """S2.5: nothing of the first person's moves, in whatever order the messages arrive."""
    (ann, _), (bob, _) = person("ann"), person("bob")
    device = visitor()
    session = [
        visit(device, "Before Ann", ago(hours=9)),
        login(ann, device, ago(hours=8)),
        {**track(ann, "Ann bought", ago(hours=7)), "anonymousId": device},
        # logout: what follows carries the anonymous id alone
        visit(device, "Before Bob", ago(hours=5)),
        login(bob, device, ago(hours=4)),
        {**track(bob, "Bob bought", ago(hours=3)), "anonymousId": device},
    ]
    if order == "backwards":
        session.reverse()
    elif order == "the last login first":
        session = session[4:] + session[:4]

    for message in session:
        await instance.send(message)

    anns, bobs = await settle(instance, ann), await settle(instance, bob)
    assert anns["events"] == {"Before Ann": 1, "Ann bought": 1}
    assert bobs["events"] == {"Before Bob": 1, "Bob bought": 1}
    assert anns["anonymousIds"] == bobs["anonymousIds"] == [device]


async def test_after_a_logout_nothing_is_added_to_the_account(instance: Instance) -> None:
    """S2.5: while nobody has logged in again, it is an anonymous visitor's."""
    user, _ = person("leaver")
    device = visitor()

    await instance.send(login(user, device, ago(hours=2)))
    await instance.send(visit(device, "After logout", ago(hours=1)))
    await until_visited(instance, device, "After logout")

    assert (await settle(instance, user))["events"] == {}
    stranger = await instance.ask(f"/v1/profiles/anonymous:{device}")
    assert (stranger["known"], set(stranger["events"])) == (False, {"After logout"})


@pytest.mark.parametrize(
    "user", ["a", "کاربر ۱", "a/b?c=d&e#f", "😀" * 100, "x" * 100, "007", "a b"]
)
async def test_any_string_of_up_to_a_hundred_characters_is_a_user_id(
    instance: Instance, user: str
) -> None:
    """S2.4"""
    await instance.send(track(user, "Named", ago(seconds=1)))

    profile = await instance.until_known(quote(user, safe=""), "Named")
    assert profile["userId"] == user


async def test_a_longer_user_id_is_refused_and_listed(instance: Instance) -> None:
    """S2.4, S2.12"""
    message = track("x" * 101, "Named", ago(seconds=1))

    answer = await instance.send(message)

    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(0, "id_too_long")]
    user, _ = person("later")
    await settle(instance, user)
    listed = (await instance.ask("/v1/rejects"))["data"]
    assert [row["field"] for row in listed if row["code"] == "id_too_long"]


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


async def campaign_for(instance: Instance, event: str) -> str:
    return await instance.campaign(f"For {event}", {"trigger": {"event": event}})


async def test_who_gave_an_email_is_opted_in_and_push_needs_permission(instance: Instance) -> None:
    """S2.10"""
    user, mail = person("default")

    await instance.send(identify(user, mail))

    consents = (await settle(instance, user))["consents"]
    assert consents["email"] | {"state": "opted_in", "reason": "default"} == consents["email"]
    assert [consents[c]["state"] for c in ("sms", "push", "web_push")] == ["unset"] * 3


async def test_an_opt_out_before_the_address_holds(instance: Instance) -> None:
    """S2.10: the address that comes later does not opt in."""
    user, mail = person("early-word")
    event = f"Event {uuid4().hex}"
    campaign = await campaign_for(instance, event)
    said = login(user, visitor(), ago(days=2), traits={"email_opt_in": False})
    given = identify(user, mail) | {"timestamp": ago(days=1)}

    await instance.send(said)
    await instance.send(given)
    await instance.send(track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    assert (await settle(instance, user))["consents"]["email"]["state"] == "opted_out"
    assert instance.mails(mail) == []


@pytest.mark.parametrize("stricter", ["visitor", "account"])
async def test_in_a_merge_the_stricter_consent_wins(instance: Instance, stricter: str) -> None:
    """S2.10"""
    user, mail = person("merged")
    device = visitor()
    event = f"Event {uuid4().hex}"
    campaign = await campaign_for(instance, event)
    words = {"visitor": (False, True), "account": (True, False)}[stricter]
    anonymous = login(user, device, ago(hours=2), traits={"email_opt_in": words[0]})
    del anonymous["userId"]

    await instance.send(identify(user, mail, email_opt_in=words[1]))
    await instance.send(anonymous)
    await instance.send(login(user, device, ago(hours=1)))
    await instance.send(track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    assert (await settle(instance, user))["consents"]["email"]["state"] == "opted_out"
    assert instance.mails(mail) == []


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


async def test_a_write_key_cannot_join_two_known_people(instance: Instance) -> None:
    """G13.38: an alias from one known person to another is not taken from a browser's key."""
    (ann, _), (bob, _) = person("ann"), person("bob")
    await instance.send(track(ann, "Ann's", ago(hours=2)), track(bob, "Bob's", ago(hours=2)))
    alias = {
        "type": "alias",
        "messageId": uuid4().hex,
        "previousId": ann,
        "userId": bob,
        "timestamp": ago(hours=1),
    }

    answer = await instance.http.post("/v1/alias", json=alias, auth=(WRITE_KEY, ""))

    assert answer.status_code in (200, 403)
    assert (await settle(instance, ann))["events"] == {"Ann's": 1}
    assert (await settle(instance, bob))["events"] == {"Bob's": 1}
