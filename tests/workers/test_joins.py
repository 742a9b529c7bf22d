"""Two known people who are joined by an alias, on both stores: S2.3, S2.10, N1."""

import asyncio
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from angarium.core.events.message import Device, Message, Operations
from angarium.core.people.identity import profile_of_user
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.store.reading import anonymous_ids, find_profile, list_logged_events
from tests.workers.people import apply, everybody, said
from tests.workers.test_people import histories, people_after


def alias(id: str, previous: str, user: str, at: int = 0, *, trusted: bool = True) -> Message:
    return said(id, "alias", user_id=user, previous_ids=(previous,), at=at, trusted=trusted)


def login(id: str, user: str, at: int = 0, **traits: Any) -> Message:
    return said(id, "identify", user_id=user, at=at, traits=traits)


def opted(id: str, user: str, at: int, word: bool) -> Message:
    return login(id, user, at, email_opt_in=word)


async def rejects(store: Store, workspace: str) -> list[tuple[str, str, str]]:
    async with store.reading() as tx:
        rows = await tx.fetch("export_rejects", workspace=workspace)
    return [(id, field, code) for id, field, code, _ in rows]


async def test_all_that_was_one_persons_is_the_others(store: Store) -> None:
    workspace = uuid4().hex
    before = [
        login("m1", "u1", 1, city="Shiraz", email="a@b.com"),
        login("m2", "u2", 2, city="Tehran"),
        said("m3", user_id="u1", anonymous_id="a1", at=3, properties={"amount": 5}),
        said("m4", user_id="u2", at=4, properties={"amount": 7}),
        said("m5", user_id="u1", at=5, device=Device("d1", "ios", "token"), device_id="d1"),
    ]
    await apply(store, workspace, before)

    await apply(store, workspace, [alias("m6", "u1", "u2", 6)])

    (person,) = await everybody(store, workspace)
    assert (person["user"], person["events"]) == ("u2", ["m1", "m2", "m3", "m4", "m5", "m6"])
    assert person["attributes"]["city"] == "Tehran"
    assert person["attributes"]["email"] == "a@b.com"
    ((event, count, *_, numbers),) = person["totals"]
    assert (event, count, numbers["amount"][:3]) == ("Visited", 3, [12, 5, 7])
    assert list(person["devices"]) == ["d1"]


async def test_the_old_id_means_the_person_from_then_on(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [said("m1", user_id="u1", anonymous_id="a1"), login("m2", "u2")])
    await apply(store, workspace, [alias("m3", "u1", "u2", 1)])
    await apply(store, workspace, [said("m4", user_id="u1", anonymous_id="a2", at=2)])

    async with store.reading() as tx:
        found = await find_profile(tx, workspace, "user", "u1")
        assert found is not None
        assert (found.id, found.user_id) == (profile_of_user(workspace, "u2"), "u2")
        assert await anonymous_ids(tx, workspace, found) == ["a1", "a2"]
        log = await list_logged_events(tx, workspace, found.id, (2**62, 0), 10)
    assert [event.body for event in log if event.kind == "merge"] == [{"userId": "u1"}]
    (person,) = await everybody(store, workspace)
    assert person["events"] == ["m1", "m2", "m3", "m4"]


async def test_without_the_right_to_it_nobody_is_joined(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [login("m1", "u1"), login("m2", "u2")])

    await apply(store, workspace, [alias("m3", "u1", "u2", 1, trusted=False)])
    both = await everybody(store, workspace)
    await apply(store, workspace, [alias("m3", "u1", "u2", 1)])

    assert [(person["user"], person["events"]) for person in both] == [
        ("u1", ["m1"]),
        ("u2", ["m2"]),
    ]
    assert await rejects(store, workspace) == [("m3", "previousId", "needs_admin_key")]
    assert len(await everybody(store, workspace)) == 1, "the same message, said by who may"


async def test_a_visitor_is_bound_without_that_right(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [said("m1", anonymous_id="a1"), login("m2", "u2")])

    await apply(store, workspace, [alias("m3", "a1", "u2", 1, trusted=False)])

    assert [person["events"] for person in await everybody(store, workspace)] == [
        ["m1", "m2", "m3"]
    ]
    assert await rejects(store, workspace) == []


async def test_joining_again_changes_nothing(store: Store) -> None:
    first = [login("m1", "u1"), login("m2", "u2"), alias("m3", "u1", "u2", 1)]
    again = [alias("m4", "u1", "u2", 2), alias("m5", "u2", "u1", 3), alias("m6", "u2", "u2", 4)]

    (person,) = await people_after(store, first, again, [replace(again[0], trusted=False, id="m7")])

    assert (person["user"], person["events"]) == ("u2", [f"m{n}" for n in range(1, 8)])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([("u1", 1, False), ("u2", 2, True)], "opted_out"),
        ([("u2", 1, False), ("u1", 2, True)], "opted_out"),
        ([("u1", 1, True), ("u2", 2, True)], "opted_in"),
        ([("u1", 1, False), ("u1", 2, True)], "opted_in"),
        ([("u1", 1, False), ("u2", 11, True)], "opted_in"),
        ([("u2", 1, False), ("u1", 11, True)], "opted_in"),
        ([("u1", 11, False), ("u2", 2, True)], "opted_out"),
        ([("u1", 1, False)], "opted_out"),
    ],
)
async def test_of_two_consents_the_stricter_holds_until_a_later_word(
    store: Store, words: list[tuple[str, int, bool]], expected: str
) -> None:
    """The join is at 10."""
    people = [login("m1", "u1", email="a@b.com"), login("m2", "u2", email="c@d.com")]
    spoken = [opted(f"w{at}", user, at, word) for user, at, word in words]
    join = [alias("m3", "u1", "u2", 10)]

    orders = [[people, spoken, join], [people, join, spoken], [join, spoken, people]]
    found = [await people_after(store, *order) for order in orders]

    assert [person["consents"]["email"] for (person,) in found] == [expected] * 3  # type: ignore[index]  # plain values


async def test_a_chain_of_joins_is_one_person(store: Store) -> None:
    """What a person brought along from an earlier join is strict in the next one, too."""
    people = [login("m1", "u1"), login("m2", "u2"), login("m3", "u3", email="a@b.com")]
    people += [opted("m4", "u1", 1, False), opted("m5", "u3", 15, True)]
    first, second = alias("m6", "u1", "u2", 10), alias("m7", "u2", "u3", 20)

    orders = [[people, [first], [second]], [people, [first, second]], [[first], [second], people]]
    found = [await people_after(store, *order) for order in orders]

    for (person,) in found:
        assert (person["user"], len(person["events"])) == ("u3", 7)  # type: ignore[arg-type]  # plain values
        assert person["consents"]["email"] == "opted_out"  # type: ignore[index]  # plain values
    assert found[0] == found[1] == found[2]


async def test_a_visitors_word_before_the_login_of_one_who_was_joined_is_strict(
    store: Store,
) -> None:
    visit = said("m1", "identify", anonymous_id="a1", at=1, traits={"email_opt_in": False})
    logged_in = said("m2", user_id="u1", anonymous_id="a1", at=2)
    other = [login("m3", "u2", email="a@b.com"), opted("m4", "u2", 5, True)]
    join = alias("m5", "u1", "u2", 10)

    orders = [[[visit], [logged_in], other, [join]], [other, [join], [logged_in], [visit]]]
    orders.append([[visit], other, [join], [logged_in]])
    found = [await people_after(store, *order) for order in orders]

    assert found[0] == found[1] == found[2]
    assert found[0][0]["consents"]["email"] == "opted_out"  # type: ignore[index]  # plain values


@st.composite
def joined_histories(draw: st.DrawFn) -> list[Message]:
    history = draw(histories())
    at = draw(st.integers(0, 12))
    return [*history, alias(f"m{len(history)}", "u1", "u2", at)]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(joined_histories(), st.integers(0, 2**32))
async def test_any_order_and_any_batches_give_the_same_person(
    store: Store, history: list[Message], seed: int
) -> None:
    random = Random(seed)
    shuffled = random.sample(history, len(history))
    cut = random.randrange(len(history) + 1)

    in_order = sorted(history, key=lambda message: (message.at, message.id))
    expected = await people_after(store, in_order)

    assert [person["user"] for person in expected if person["user"]] == ["u2"]
    assert await people_after(store, shuffled[:cut], shuffled[cut:]) == expected
    assert await people_after(store, *[[message] for message in shuffled]) == expected


@pytest.mark.parametrize("round_", range(4))
async def test_workers_that_join_and_write_at_once_lose_nothing(
    postgres_url: str, round_: int
) -> None:
    store = await open_store(postgres_url)
    workspace = uuid4().hex
    random = Random(round_)
    messages = [
        said(
            f"m{i}",
            random.choice(["track", "identify"]),
            user_id=random.choice([None, "u1", "u2", "u3"]),
            anonymous_id=random.choice(["a1", "a2", "a3"]),
            at=random.randrange(50),
            operations=Operations(),
        )
        for i in range(60)
    ]
    messages[20] = alias("m20", "u1", "u2", random.randrange(50))
    messages[25] = alias("m25", "u2", "u3", random.randrange(50))
    messages[30] = alias("m30", "u1", "u3", random.randrange(50))
    shares = [messages[worker::4] for worker in range(4)]

    async def work(shard: int) -> None:
        for start in range(0, len(shares[shard]), 3):
            await apply(store, workspace, shares[shard][start : start + 3], shard)

    await asyncio.gather(*(work(shard) for shard in range(4)))
    found = await everybody(store, workspace)
    await apply(store, workspace + "r", messages)
    expected = await everybody(store, workspace + "r")
    await store.close()

    known = [person for person in found if person["user"]]
    assert [person["events"] for person in known] == [
        person["events"] for person in expected if person["user"]
    ]
    assert [person["totals"] for person in found] == [person["totals"] for person in expected]
