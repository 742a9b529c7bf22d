"""Devices and push addresses as the workers write them, on both stores."""

import asyncio
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from angarium.config.limits import DEVICES_PER_PERSON
from angarium.core.delivery.addresses import BadAddress, Contact, find_address
from angarium.core.delivery.told import REACTION_EVENTS
from angarium.core.events.message import Device, Message, tie
from angarium.core.people.app_state import APP_EVENTS, AppState
from angarium.core.people.devices import PUSH_EVENTS
from angarium.core.store.attempts import Suppressed
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.workers.deaths import bury
from angarium.core.workers.knowledge import load_knowledge
from angarium.plugins.channel import PUSH, WEB_PUSH
from tests.people.test_devices import KEPT, SUBSCRIPTION
from tests.workers.people import NOW, apply, everybody, said


def on_phone(id: str, at: int, user: str | None, token: str | None = None, **more: Any) -> Message:
    """A message of somebody from a phone that says its own id."""
    device = Device("phone", "ios", token)
    return said(id, user_id=user, at=at, device=device, device_id="phone", **more)


def in_browser(id: str, at: int, user: str | None, name: str = "Visited", **more: Any) -> Message:
    """A message from a browser, whose only id is the anonymous one."""
    message = said(id, user_id=user, anonymous_id="a1", device_id="a1", at=at, **more)
    message.name = name
    if name == "Push Subscribed":
        message.subscription = SUBSCRIPTION
    return message


async def people_after(store: Store, *batches: list[Message]) -> list[dict[str, Any]]:
    workspace = uuid4().hex
    for batch in batches:
        await apply(store, workspace, batch)
    return await everybody(store, workspace)


def reached(people: list[dict[str, Any]]) -> dict[str | None, str]:
    """Who can be reached where, by user id."""
    found: dict[str | None, str] = {}
    for person in people:
        for channel in (PUSH, WEB_PUSH):
            try:
                address = find_address(channel, {}, Contact(devices=person["devices"]), None)
            except BadAddress as bad:
                address = str(bad)
            if address:
                found[person["user"]] = address
    return found


async def test_a_token_goes_along_to_who_logs_in_on_the_phone(store: Store) -> None:
    login = [on_phone("m1", 1, "u1", "t1")]
    assert reached(await people_after(store, login)) == {"u1": "t1"}

    people = await people_after(store, login, [on_phone("m2", 2, "u2")])

    assert reached(people) == {"u2": "t1"}


@pytest.mark.parametrize("late", [False, True])
async def test_after_the_logout_the_token_is_the_next_visitors(store: Store, late: bool) -> None:
    token, logout = on_phone("m1", 1, "u1", "t1"), on_phone("m2", 2, None, anonymous_id="a1")
    batches = [[logout], [token]] if late else [[token], [logout]]

    assert reached(await people_after(store, *batches)) == {None: "t1"}
    returned = await people_after(store, *batches, [on_phone("m3", 3, "u1")])
    assert reached(returned) == {"u1": "t1"}


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
async def test_a_browsers_subscription_follows_its_visitors(store: Store, order: str) -> None:
    messages = {
        "a": in_browser("m1", 1, "u1", "Push Subscribed"),
        "b": in_browser("m2", 2, None),
        "c": in_browser("m3", 3, "u2"),
    }

    assert reached(await people_after(store, *([messages[c]] for c in order))) == {"u2": KEPT}
    two = [messages[c] for c in order if c != "c"]
    assert reached(await people_after(store, two)) == {None: KEPT}


async def test_a_visitors_devices_go_along_at_the_login(store: Store) -> None:
    first = on_phone("m1", 1, None, "t1", anonymous_id="a1")
    people = await people_after(store, [first], [said("m2", user_id="u1", anonymous_id="a1", at=2)])

    assert reached(people) == {"u1": "t1"}


async def test_a_late_login_that_takes_the_last_words_takes_the_device(store: Store) -> None:
    words = [
        on_phone("m1", 1, None, "t1", anonymous_id="a1"),
        on_phone("m5", 5, None, anonymous_id="a1"),
    ]
    later = [said("m9", user_id="u1", anonymous_id="a1", at=9)]
    late = [said("m6", user_id="u2", anonymous_id="a1", at=6)]

    assert reached(await people_after(store, words, later)) == {"u1": "t1"}
    assert reached(await people_after(store, words, later, late)) == {"u2": "t1"}


async def test_a_login_and_a_logout_in_one_batch_hand_the_browser_on(store: Store) -> None:
    first = [in_browser("m1", 1, None, "Push Subscribed")]
    people = await people_after(
        store, first, [in_browser("m2", 2, "u1"), in_browser("m3", 3, None)]
    )

    assert reached(people) == {None: KEPT}


async def test_a_token_told_by_two_devices_reaches_the_later_one(store: Store) -> None:
    copy = said("m2", user_id="u2", at=2, device=Device("copy", "ios", "t1"), device_id="copy")
    people = await people_after(store, [on_phone("m1", 1, "u1", "t1")], [copy])

    assert reached(people) == {"u2": "t1"}


async def test_the_permission_of_the_browser_is_the_consent_until_somebody_says_more(
    store: Store,
) -> None:
    """S2.10"""
    granted = [in_browser("m1", 1, "u1", "Push Subscribed")]
    denied = [in_browser("m2", 2, "u1", "Push Permission Denied")]
    refused = [said("m0", "identify", user_id="u1", traits={"web_push_opt_in": False})]

    for batches, state, attribute in (
        ([granted], "opted_in", True),
        ([granted, denied], "opted_out", False),
        ([denied, granted], "opted_out", False),
        ([granted, refused], "opted_out", False),
        ([refused, granted], "opted_out", False),
    ):
        (person,) = await people_after(store, *batches)
        assert person["consents"]["web_push"] == state
        assert person["attributes"]["web_push_opt_in"] is attribute
    assert reached(await people_after(store, granted, denied)) == {}


async def test_a_phone_that_forbids_opts_out_whatever_was_said_before(store: Store) -> None:
    """S2.10: an app goes on telling its token, which needs no permission."""
    allowed = on_phone("m1", 1, "u1", "t1", kind="identify", traits={"push_opt_in": True})
    denied = on_phone("m2", 2, "u1", name="Push Permission Denied")
    again = on_phone("m3", 3, "u1", "t1")
    later = on_phone("m4", 4, "u1", kind="identify", traits={"push_opt_in": True})
    granted = on_phone("m5", 5, "u1", name="Push Permission Granted")

    for batches, state in (
        ([[allowed], [again]], "opted_in"),
        ([[allowed], [denied], [again]], "opted_out"),
        ([[denied, again], [allowed]], "opted_out"),
        ([[again, denied, allowed]], "opted_out"),
        ([[allowed, denied, again], [later]], "opted_in"),
        ([[allowed, denied], [granted]], "opted_in"),
    ):
        (person,) = await people_after(store, *batches)
        assert person["consents"]["push"] == state
        assert person["attributes"]["push_opt_in"] is (state == "opted_in")


async def test_no_quota_of_names_keeps_a_refusal_from_being_heard(store: Store) -> None:
    """Whoever may write events can use up all names."""
    async with store.reading() as tx:
        knowledge = await load_knowledge(tx, uuid4().hex, most_names=1)

    assert knowledge.admit("Visited")
    assert not knowledge.admit("Another")
    assert all(map(knowledge.admit, [*PUSH_EVENTS, *APP_EVENTS, *REACTION_EVENTS]))


async def test_a_token_alone_is_no_permission(store: Store) -> None:
    """S2.10"""
    (person,) = await people_after(store, [on_phone("m1", 1, "u1", "t1")])

    assert person["consents"]["push"] == "unset"
    assert "push_opt_in" not in person["attributes"]


async def test_what_is_known_of_a_device_changes_nothing_of_the_person(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1")])

    async def revision() -> int:
        async with store.reading() as tx:
            [row] = await tx.fetch("export_profiles", workspace=workspace)
            [found] = await tx.fetch("find_profiles", workspace=workspace, ids=[row[0]])
        return int(found[6])

    before = await revision()
    await apply(store, workspace, [on_phone("m2", 2, "u1", "t1"), on_phone("m3", 3, "u1")])

    [person] = await everybody(store, workspace)
    phone = person["devices"]["phone"]
    assert (phone.at - NOW, phone.address.at - NOW) == (3, 2)
    await apply(store, workspace, [on_phone("m5", 4, "u1", name="Application Backgrounded")])
    [person] = await everybody(store, workspace)
    assert person["devices"]["phone"].sight.said is False
    assert await revision() == before
    await apply(store, workspace, [on_phone("m4", 5, "u1", "t2")])
    assert await revision() == before + 1


async def test_what_an_app_says_of_itself_goes_along_with_its_phone(store: Store) -> None:
    """S1.15"""
    opened = on_phone("m1", 1, None, "t1", anonymous_id="a1", name="Application Opened")
    (person,) = await people_after(store, [opened], [on_phone("m2", 2, "u1", anonymous_id="a1")])

    phone = person["devices"]["phone"]
    assert phone.app == AppState(NOW + 1, tie("m1"), True)
    assert phone.sight.heard_at == NOW + 2


async def test_an_address_stands_neither_in_the_log_nor_among_the_rejects(store: Store) -> None:
    workspace = uuid4().hex
    bad = in_browser("m2", 2, "u1", "Push Subscribed")
    bad.subscription = SUBSCRIPTION | {"keys": {}}
    good = on_phone("m1", 1, "u1", "secret-token", kind="identify")
    long = on_phone("m3", 3, "u1", "secret-token" * 400)
    await apply(store, workspace, [good, bad, long])

    async with store.reading() as tx:
        rejects = await tx.fetch("export_rejects", workspace=workspace)
        [row] = await tx.fetch("export_profiles", workspace=workspace)
        log = await tx.fetch("list_log", workspace=workspace, ids=[row[0]])
    assert [tuple(row) for row in rejects] == [
        ("m2", "properties.subscription.keys.p256dh", "bad_subscription", None),
        ("m3", "context.device.token", "token_too_long", None),
    ]
    assert len(log) == 3
    assert "secret" not in str(log) + str(row)
    assert reached(await everybody(store, workspace)) == {"u1": "secret-token"}


async def test_only_the_devices_used_last_are_kept(store: Store) -> None:
    messages = [
        said(f"m{n}", user_id="u1", at=n, device=Device(f"d{n}"), device_id=f"d{n}")
        for n in range(DEVICES_PER_PERSON + 5)
    ]
    (person,) = await people_after(store, messages[:20], messages[20:])

    assert set(person["devices"]) == {f"d{n}" for n in range(5, DEVICES_PER_PERSON + 5)}


@pytest.mark.parametrize(
    ("died_at", "told", "expected"),
    [
        (5, [], "address_dead"),
        (5, [7], "t1"),  # registered again
        (5, [4], "address_dead"),  # a late word of before
        (0, [], "t1"),  # it was registered after the provider's word
    ],
)
async def test_a_token_dies_by_the_providers_word_and_lives_when_told_again(
    store: Store, died_at: int, told: list[int], expected: str
) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1")])
    async with store.transaction() as tx:
        dead = Suppressed(workspace, "push", "t1", "bounced", NOW + died_at, "push_fcm: gone")
        assert await bury(tx, [dead]) == set()
    for at in told:
        await apply(store, workspace, [on_phone(f"n{at}", at, "u1", "t1")])

    (person,) = await everybody(store, workspace)
    assert reached([person]) == {"u1": expected}
    assert person["devices"]["phone"].death.reason == "push_fcm: gone"
    async with store.reading() as tx:
        assert not await tx.fetch("find_suppressed", keys=[(workspace, "push", "t1")])


async def test_an_unknown_token_is_not_suppressed_but_a_complaint_is(store: Store) -> None:
    workspace = uuid4().hex
    async with store.transaction() as tx:
        bounced = Suppressed(workspace, "push", "t1", "bounced", NOW)
        complained = Suppressed(workspace, "web_push", KEPT, "complained", NOW)
        mail = Suppressed(workspace, "email", "a@b.example", "bounced", NOW)
        assert await bury(tx, [bounced, complained, mail]) == set()
        keys = [(one.workspace, one.channel, one.address) for one in (bounced, complained, mail)]
        found = await tx.fetch("find_suppressed", keys=sorted(keys))

    assert sorted(row[1] for row in found) == ["email", "web_push"]


TOKENS = st.sampled_from([None, "t1", "t2"])
NAMES = st.sampled_from(["Visited", "Visited", *sorted(PUSH_EVENTS)])
APP_NAMES = st.sampled_from(["Visited", *sorted(APP_EVENTS)])
USERS = st.sampled_from([None, "u1", "u2"])


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    messages: list[Message] = []
    for index in range(draw(st.integers(2, 8))):
        visitor = draw(st.sampled_from(["a1", "a2"]))
        message = said(f"m{index}", user_id=draw(USERS), anonymous_id=visitor)
        message.at += draw(st.integers(0, 9)) * 10 + index  # nothing happens at once
        if draw(st.booleans()):
            message.device_id = draw(st.sampled_from(["d1", "d2"]))
            message.device = Device(message.device_id, "ios", draw(TOKENS))
            message.name = draw(APP_NAMES | NAMES)
        elif draw(st.booleans()):
            message.kind, message.name = "identify", ""
            message.traits = {"push_opt_in": draw(st.booleans())}
        else:
            message.device_id = visitor
            message.name = draw(NAMES)
            message.subscription = SUBSCRIPTION
        messages.append(message)
    return messages


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories(), st.integers(0, 2**32))
async def test_any_order_and_any_batches_give_the_same_devices(
    store: Store, history: list[Message], seed: int
) -> None:
    random = Random(seed)
    shuffled = random.sample(history, len(history))
    cuts = sorted(random.choices(range(len(history) + 1), k=2))
    pieces = [shuffled[: cuts[0]], shuffled[cuts[0] : cuts[1]], shuffled[cuts[1] :]]

    in_order = sorted(history, key=lambda message: (message.at, message.id))
    expected = await people_after(store, in_order)

    assert await people_after(store, *pieces) == expected
    assert await people_after(store, *[[message] for message in shuffled]) == expected


@pytest.mark.parametrize("round_", range(3))
async def test_workers_that_hand_one_phone_about_at_once_agree(
    postgres_url: str, round_: int
) -> None:
    store = await open_store(postgres_url)
    workspace = uuid4().hex
    random = Random(round_)
    messages = [
        on_phone(f"m{n}", n, random.choice(["u1", "u2", "u3"]), random.choice([None, "t1", "t2"]))
        for n in range(40)
    ]
    shares = [messages[worker::4] for worker in range(4)]

    async def work(shard: int) -> None:
        for start in range(0, len(shares[shard]), 3):
            await apply(store, workspace, shares[shard][start : start + 3], shard)

    await asyncio.gather(*(work(shard) for shard in range(4)))
    found = await everybody(store, workspace)
    await apply(store, workspace + "r", messages)
    assert found == await everybody(store, workspace + "r")
    await store.close()
