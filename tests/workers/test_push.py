"""Which device a notification goes to, and what becomes of it when that device is gone."""

from typing import ClassVar

import pytest

from angarium.core.delivery.status import DeliveryState
from angarium.core.events.message import Device, Message
from angarium.core.events.times import MINUTE
from angarium.core.people.identity import profile_of_user
from angarium.core.store.outcomes import find_delivery
from angarium.plugins import Accepted, PermanentFailure
from angarium.plugins import Message as Outgoing
from angarium.plugins.channel import PUSH
from tests.delivery.examples import NOW, new_delivery
from tests.parts.waiting import until
from tests.store.ledgers import row, states
from tests.workers.offices import Director, Office
from tests.workers.people import apply, everybody, said

SARA = profile_of_user("default", "sara")
CONTENT = {"order": ["push"], "push": {"title": "Hello {{ profile.first_name }}"}}
S = DeliveryState


class PushDirector(Director):
    """A provider of notifications to which some tokens are dead."""

    name: ClassVar[str] = "push_director"
    channel: ClassVar[str] = "push"

    def __init__(self, *dead: str, since: int | None = None) -> None:
        async def answer(message: Outgoing) -> Accepted:
            if message.address in dead:
                gone = "push_director: gone"
                raise PermanentFailure(gone, address_dead=True, dead_since=since)
            return Accepted(provider_id=message.key)

        super().__init__(answer)

    @property
    def addresses(self) -> list[str]:
        return [message.address for message in self.messages]


def on(phone: str, at: int, user: str = "sara", name: str = "Visited") -> Message:
    """Somebody does something in the app; the phone's token is called like it."""
    device = Device(phone, "android", f"token-{phone}")
    return said(f"{phone}-{at}", user_id=user, at=at, device=device, device_id=phone, name=name)


@pytest.fixture
async def shop(office: Office) -> Office:
    await office.campaign(content=CONTENT)
    office.now = NOW + 100
    allowed = said("m0", "identify", user_id="sara", traits={"push_opt_in": True})
    await apply(office.store, "default", [allowed, on("old", 1), on("new", 2)])
    return office


async def push(shop: Office, director: PushDirector, id: str = "dlv_1", **more: str) -> None:
    """Plan a notification, and deliver it or not."""
    await shop.plan(new_delivery(id, profile_id=SARA, channel="push", **more))
    before = await states(shop.store)

    async def ended() -> bool:
        return (await row(shop.store, id)).state in (S.ACCEPTED, S.FAILED, S.SKIPPED)

    async with shop.delivering(director, channels=(PUSH,)):
        await until(ended)
    assert sum((await states(shop.store)).values()) == sum(before.values())


async def test_it_goes_to_the_device_used_last(shop: Office) -> None:
    director = PushDirector()
    await push(shop, director)

    assert director.addresses == ["token-new"]
    assert await states(shop.store) == {"accepted": 1}


async def test_it_goes_to_the_device_of_its_trigger(shop: Office) -> None:
    director = PushDirector()
    await push(shop, director, device="old")

    assert director.addresses == ["token-old"]


async def test_where_that_device_is_gone_it_goes_to_the_next(shop: Office) -> None:
    director = PushDirector("token-new")
    await push(shop, director)

    assert director.addresses == ["token-new", "token-old"]
    assert director.keys == ["dlv_1", "dlv_1"]
    delivery = await row(shop.store)
    assert (delivery.state, delivery.resends) == (S.ACCEPTED, 0)
    assert await states(shop.store) == {"accepted": 1}


async def test_where_all_are_gone_it_fails_and_the_next_is_skipped(shop: Office) -> None:
    director = PushDirector("token-new", "token-old")
    await push(shop, director)
    await push(shop, director, "dlv_2")

    assert director.addresses == ["token-new", "token-old"]
    first, second = await row(shop.store), await row(shop.store, "dlv_2")
    assert (first.state, first.reason) == (S.FAILED, "push_director: gone")
    assert (second.state, second.reason) == (S.SKIPPED, "address_dead")
    (person,) = await everybody(shop.store, "default")
    assert [device.death.reason for device in person["devices"].values()] == [first.reason] * 2

    await apply(shop.store, "default", [on("old", 200)])
    await push(shop, PushDirector(), "dlv_3")
    assert (await row(shop.store, "dlv_3")).state is S.ACCEPTED


async def test_a_word_older_than_the_registration_fails_the_message_only(shop: Office) -> None:
    """APNs says since when a token is dead."""
    director = PushDirector("token-new", since=NOW + 1)
    await push(shop, director)

    assert director.addresses == ["token-new"]
    assert (await row(shop.store)).state is S.FAILED
    (person,) = await everybody(shop.store, "default")
    assert all(device.is_live for device in person["devices"].values())


DENIED = "Push Permission Denied"


async def test_who_forbids_it_on_the_phone_gets_nothing(shop: Office) -> None:
    """S2.10: though they had allowed it before, and the app still tells its token."""
    words = [on("new", 3, name=DENIED), on("new", 4), on("old", 5)]
    await apply(shop.store, "default", words)
    director = PushDirector()
    await push(shop, director)

    assert director.addresses == []
    delivery = await row(shop.store)
    assert (delivery.state, delivery.reason) == (S.SKIPPED, "opted_out")


async def test_of_two_phones_the_one_that_allows_it_gets_it(shop: Office) -> None:
    granted = on("old", 3, name="Push Permission Granted")
    await apply(shop.store, "default", [granted, on("new", 4, name=DENIED), on("new", 5)])
    director = PushDirector()
    await push(shop, director, device="new")

    assert director.addresses == ["token-old"]


async def test_who_has_logged_out_gets_nothing_on_that_phone(shop: Office) -> None:
    await apply(shop.store, "default", [on("old", 4, "reza"), on("new", 4, "reza")])
    director = PushDirector()
    await push(shop, director)

    assert director.addresses == []
    delivery = await row(shop.store)
    assert (delivery.state, delivery.reason) == (S.SKIPPED, "no_address")


LIVE = {"order": ["push"], "push": {"title": "Now", "live": True, "ttl": "PT5M"}}
OPENED, CLOSED = "Application Opened", "Application Backgrounded"


@pytest.fixture
async def stadium(office: Office) -> Office:
    """Where messages are only for who has the app open."""
    await office.campaign(content=LIVE)
    office.now = NOW + MINUTE
    allowed = said("m0", "identify", user_id="sara", traits={"push_opt_in": True})
    await apply(office.store, "default", [allowed, on("old", 1), on("new", 2)])
    return office


@pytest.mark.parametrize(
    ("words", "reached"),
    [
        ([], []),
        ([on("old", 3, name=OPENED)], ["token-old"]),
        ([on("old", 3, name=OPENED), on("new", 4, name=OPENED)], ["token-new"]),
        ([on("old", 3, name=OPENED), on("new", 4, name=OPENED), on("new", 5, name=CLOSED)],
         ["token-old"]),
        ([on("new", 3, name=OPENED), on("new", 4, name=CLOSED)], []),
        ([on("new", 3 - 10 * MINUTE, name=OPENED), on("new", 4 - 10 * MINUTE)], ["token-new"]),
    ],
)  # fmt: skip
async def test_a_live_message_goes_to_the_device_whose_app_is_open(
    stadium: Office, words: list[Message], reached: list[str]
) -> None:
    """S1.15"""
    await apply(stadium.store, "default", words)
    director = PushDirector()
    await push(stadium, director)

    assert director.addresses == reached
    assert all(message.content.live for message in director.messages)
    delivery = await row(stadium.store)
    assert (delivery.state, delivery.reason) == (
        (S.ACCEPTED, "") if reached else (S.SKIPPED, "app_closed")
    )


async def test_an_app_that_is_open_but_was_not_heard_of_is_closed(stadium: Office) -> None:
    await apply(stadium.store, "default", [on("new", 3, name=OPENED)])
    stadium.now = NOW + 3 + 10 * MINUTE + 1
    director = PushDirector()
    await push(stadium, director)

    assert director.addresses == []
    async with stadium.store.reading() as tx:
        found = await find_delivery(tx, "default", "dlv_1")
    assert found is not None
    [verdict] = [gate for gate in found.gates if gate["gate"] == "app"]
    assert (verdict["verdict"], verdict["reason"]) == ("skip", "app_closed")
    assert verdict["saw"] == {
        "said": "open",
        "heardAt": "2027-01-15T08:00:00.003Z",
        "withinSeconds": 600,
    }


async def test_it_prefers_the_triggers_device_among_those_that_are_open(stadium: Office) -> None:
    both = [on("old", 3, name=OPENED), on("new", 4, name=OPENED)]
    await apply(stadium.store, "default", both)
    director = PushDirector()
    await push(stadium, director, device="old")
    await apply(stadium.store, "default", [on("old", 5, name=CLOSED)])
    await push(stadium, director, "dlv_2", device="old")

    assert director.addresses == ["token-old", "token-new"]


async def test_where_the_open_device_is_gone_no_closed_one_gets_it(stadium: Office) -> None:
    await apply(stadium.store, "default", [on("new", 3, name=OPENED)])
    director = PushDirector("token-new")
    await push(stadium, director)

    assert director.addresses == ["token-new"]
    delivery = await row(stadium.store)
    assert (delivery.state, delivery.reason) == (S.SKIPPED, "app_closed")


async def test_an_open_app_does_not_get_round_an_opt_out(stadium: Office) -> None:
    """S2.10"""
    left = said("m9", "identify", user_id="sara", at=9, traits={"push_opt_in": False})
    await apply(stadium.store, "default", [on("new", 3, name=OPENED), left])
    director = PushDirector()
    await push(stadium, director)

    assert director.addresses == []
    assert (await row(stadium.store)).reason == "opted_out"
