"""A provider that calls most addresses dead is not believed until somebody says so."""

from collections.abc import Sequence

import pytest

from angarium.core.delivery.tolls import BLOCK, TRUSTED
from angarium.core.store import tolls
from angarium.core.store.attempts import Suppressed
from angarium.core.store.protocol import Store
from angarium.core.store.suppressions import list_suppressions
from angarium.core.workers.tolls import confirm, discard, permit
from angarium.plugins import Accepted, Message, PermanentFailure, StatusUpdate
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row
from tests.workers.offices import Director, Office
from tests.workers.test_early import PROVIDER, News
from tests.workers.test_feedback import accepted

MAIL = "email_test"


def bounced(count: int, first: int = 0) -> list[tuple[str, Suppressed]]:
    """So many addresses called dead."""
    return [
        (MAIL, Suppressed("default", "email", f"p{n:04}@b.example", "bounced", NOW, "gone"))
        for n in range(first, first + count)
    ]


async def say(
    store: Store, called: Sequence[tuple[str, Suppressed]], sends: int = 0, now: int = NOW
) -> list[str]:
    """The addresses of which a provider is believed."""
    async with store.transaction() as tx:
        permitted = await permit(tx, called, {MAIL: sends} if sends else {}, now)
    return [one.address for one in permitted]


async def held(store: Store) -> list[tuple[str, int]]:
    async with store.reading() as tx:
        return [(one.provider, one.held) for one in await tolls.list_held_tolls(tx)]


async def suppressed(store: Store) -> list[str]:
    async with store.reading() as tx:
        found = await list_suppressions(tx, "default", None, ("", ""), 1000)
    return [one.address for one in found]


async def test_a_fifth_is_carried_out_and_the_rest_is_held(store: Store) -> None:
    believed = await say(store, bounced(60), 60)
    later = await say(store, bounced(5, first=60), 5)

    assert (len(believed), later) == (40, [])
    assert await held(store) == [(MAIL, 25)]


async def test_what_people_say_is_always_carried_out(store: Store) -> None:
    await say(store, bounced(60), 60)
    stop = Suppressed("default", "sms", "+989121234567", "unsubscribed", NOW)
    spam = Suppressed("default", "email", "a@b.example", "complained", NOW)

    believed = await say(store, [(MAIL, stop), (MAIL, spam), *bounced(3, first=100)])

    assert sorted(believed) == ["+989121234567", "a@b.example"]


async def test_another_provider_is_believed_meanwhile(store: Store) -> None:
    await say(store, bounced(60), 60)
    other = [("email_other", one) for _, one in bounced(3, first=100)]

    assert len(await say(store, other)) == 3
    assert await held(store) == [(MAIL, 20)]


async def test_the_same_address_is_held_once(store: Store) -> None:
    await say(store, bounced(60), 60)
    await say(store, bounced(60), 60)

    assert await held(store) == [(MAIL, 60)]


async def test_an_admin_confirms_and_all_of_it_is_carried_out(store: Store) -> None:
    await say(store, bounced(60), 60)
    done: list[int] = []
    while not done or done[-1]:
        async with store.transaction() as tx:
            done.append(await confirm(tx, MAIL, 15, NOW))

    assert done == [15, 5, 0]
    assert await held(store) == []
    assert await suppressed(store) == [f"p{n:04}@b.example" for n in range(40, 60)]
    assert len(await say(store, bounced(500, first=100), 500, NOW + TRUSTED - 1)) == 500


async def test_an_admin_discards_and_none_of_it_is(store: Store) -> None:
    await say(store, bounced(60), 60)
    async with store.transaction() as tx:
        assert await discard(tx, MAIL) == 20

    assert (await held(store), await suppressed(store)) == ([], [])
    assert len(await say(store, bounced(10), 10)) == 10


@pytest.mark.parametrize("act", ["confirm", "discard"])
async def test_of_a_provider_that_is_not_known_nothing_is_held(store: Store, act: str) -> None:
    async with store.transaction() as tx:
        done = await (confirm(tx, "nobody", 5, NOW) if act == "confirm" else discard(tx, "nobody"))
        assert done == 0
        assert await tx.fetch("lock_tolls", providers=["nobody"]) == []


async def test_when_the_share_falls_nobody_dies_of_the_mistake(store: Store) -> None:
    """Those that are dead indeed are called so again, by their next message."""
    await say(store, bounced(60), 60)
    for _ in range(3):
        await say(store, [], BLOCK)

    assert (await held(store), await suppressed(store)) == ([], [])
    assert len(await say(store, bounced(5), 5)) == 5


async def test_what_nobody_decides_on_is_forgotten(store: Store) -> None:
    await say(store, bounced(60), 60)
    async with store.transaction() as tx:
        assert await tolls.forget_held_deaths(tx, NOW) == 0
        assert await tolls.forget_held_deaths(tx, NOW + 1) == 20


async def test_answers_of_a_provider_that_refuses_everybody_are_held(office: Office) -> None:
    async def refuse(message: Message) -> Accepted:
        raise PermanentFailure("email_recorder: no such user", address_dead=True)

    await office.campaign()
    ids = [f"dlv_{n:02}" for n in range(50)]
    for number, id in enumerate(ids):
        await office.person(f"prf_{number}", email=f"p{number}@b.example")
        await office.plan(new_delivery(id, profile_id=f"prf_{number}"))
    async with office.delivering(Director(refuse)):
        await office.became(failed=50)

    [(provider, count)] = await held(office.store)
    assert count + len(await suppressed(office.store)) == 50
    assert len(await suppressed(office.store)) == 40
    assert provider == (await row(office.store, ids[0])).provider


async def test_bounces_that_are_told_later_are_held(office: Office) -> None:
    await say(office.store, [(PROVIDER, one) for _, one in bounced(60)], 60)
    before = await held(office.store)
    await accepted(office, "dlv_1")
    bounce = StatusUpdate(status="bounced", key="dlv_1", at=NOW, address_dead=True)

    await News(office).say(bounce)

    assert (await row(office.store)).state == "bounced"
    assert (before, await held(office.store)) == ([(PROVIDER, 20)], [(PROVIDER, 21)])
    assert await suppressed(office.store) == []
