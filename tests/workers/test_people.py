"""People as the workers write them, on both stores: S2.1 to S2.5, S2.10, S2.12."""

import asyncio
from random import Random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from angarium.core.events.message import Device, Message, Operations
from angarium.core.store.protocol import Store
from tests.workers.people import apply, everybody, said


async def people_after(store: Store, *batches: list[Message]) -> list[dict[str, object]]:
    workspace = uuid4().hex
    for batch in batches:
        await apply(store, workspace, batch)
    return await everybody(store, workspace)


async def test_several_anonymous_visits_become_one_person_at_the_login(store: Store) -> None:
    day = 86_400_000
    found = await people_after(
        store,
        [said("m1", anonymous_id="a1", at=day)],
        [said("m2", anonymous_id="a2", at=3 * day)],
        [
            said(
                "m3", "identify", user_id="u1", anonymous_id="a2", at=7 * day, previous_ids=("a1",)
            ),
        ],
    )

    assert [(person["user"], person["events"]) for person in found] == [("u1", ["m1", "m2", "m3"])]


async def test_a_visitor_becomes_an_existing_known_person(store: Store) -> None:
    found = await people_after(
        store,
        [said("m1", user_id="u1", properties={"amount": 5})],
        [said("m2", anonymous_id="a1", at=1, properties={"amount": 7})],
        [said("m3", user_id="u1", anonymous_id="a1", at=2)],
    )

    (person,) = found
    ((event, count, first, last, numbers),) = person["totals"]  # type: ignore[misc]  # plain values
    assert (event, count, last - first, numbers["amount"][:3]) == ("Visited", 3, 2, [12, 5, 7])


async def test_what_follows_a_logout_belongs_to_the_next_who_logs_in(store: Store) -> None:
    found = await people_after(
        store,
        [said("m1", anonymous_id="a1", at=1)],
        [said("m2", user_id="u1", anonymous_id="a1", at=2)],
        [said("m3", anonymous_id="a1", at=3)],
        [said("m4", user_id="u2", anonymous_id="a1", at=4)],
        [said("m5", anonymous_id="a1", at=5)],
    )

    assert [(person["user"], person["events"]) for person in found] == [
        (None, ["m5"]),
        ("u1", ["m1", "m2"]),
        ("u2", ["m3", "m4"]),
    ]


async def test_a_late_login_takes_only_what_came_before_it(store: Store) -> None:
    found = await people_after(
        store,
        [said("m1", anonymous_id="a1", at=1), said("m3", anonymous_id="a1", at=3)],
        [said("m2", user_id="u1", anonymous_id="a1", at=2)],
    )

    assert [(person["user"], person["events"]) for person in found] == [
        (None, ["m3"]),
        ("u1", ["m1", "m2"]),
    ]


async def test_a_late_login_of_somebody_else_takes_what_is_theirs(store: Store) -> None:
    found = await people_after(
        store,
        [said("m1", anonymous_id="a1", at=1), said("m5", anonymous_id="a1", at=5)],
        [said("m9", user_id="u1", anonymous_id="a1", at=9)],
        [said("m4", user_id="u2", anonymous_id="a1", at=4)],
    )

    assert [(person["user"], person["events"]) for person in found] == [
        ("u1", ["m5", "m9"]),
        ("u2", ["m1", "m4"]),
    ]


async def test_a_message_that_comes_again_changes_nothing(store: Store) -> None:
    workspace = uuid4().hex
    message = said("m1", user_id="u1", properties={"amount": 5})

    assert await apply(store, workspace, [message, message]) == 1
    before = await everybody(store, workspace)
    assert await apply(store, workspace, [message]) == 0
    assert await everybody(store, workspace) == before


async def test_in_a_merge_the_stricter_consent_wins(store: Store) -> None:
    (person,) = await people_after(
        store,
        [said("m1", "identify", user_id="u1", traits={"email": "a@b.com", "email_opt_in": True})],
        [said("m2", "identify", anonymous_id="a1", at=1, traits={"email_opt_in": False})],
        [said("m3", user_id="u1", anonymous_id="a1", at=2)],
    )

    assert person["consents"]["email"] == "opted_out"  # type: ignore[index]  # plain values


async def test_a_value_of_another_type_is_not_stored_and_is_listed(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [said("m1", "identify", user_id="u1", traits={"age": 5})])
    await apply(store, workspace, [said("m2", "identify", user_id="u1", at=1, traits={"age": "x"})])

    (person,) = await everybody(store, workspace)
    assert person["attributes"] == {"age": 5}
    async with store.reading() as tx:
        rows = await tx.fetch("export_rejects", workspace=workspace)
    assert [tuple(row) for row in rows] == [("m2", "age", "wrong_type", "x")]


async def test_at_most_25_custom_attributes_of_each_type(store: Store) -> None:
    traits = {f"a{i:02}": i for i in range(30)} | {"word": "w"}
    (person,) = await people_after(store, [said("m1", "identify", user_id="u1", traits=traits)])

    assert len(person["attributes"]) == 26  # type: ignore[arg-type]  # plain values


USERS = st.sampled_from([None, "u1", "u2"])
VISITORS = st.sampled_from([None, "a1", "a2"])


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    messages = []
    for index in range(draw(st.integers(2, 9))):
        user, visitor = draw(USERS), draw(VISITORS)
        if user is None and visitor is None:
            visitor = "a1"
        at = draw(st.integers(0, 12))
        kind = draw(st.sampled_from(["track", "track", "identify"]))
        message = said(f"m{index}", kind, user_id=user, anonymous_id=visitor, at=at)
        if kind == "track":
            message.properties = {"amount": draw(st.integers(0, 9))}
        else:
            message.traits = draw(traits)
            message.operations = Operations(increment=draw(increments))
        message.device = draw(st.sampled_from([None, None, Device("d1", "ios", f"t{index}")]))
        message.device_id = "d1" if message.device is not None else visitor
        messages.append(message)
    return messages


increments = st.dictionaries(st.just("points"), st.integers(1, 3))
traits = st.fixed_dictionaries(
    {},
    optional={
        "city": st.sampled_from(["Tehran", "Shiraz"]),
        "email": st.sampled_from(["a@b.com", "c@d.com"]),
        "email_opt_in": st.booleans(),
        "points": st.integers(0, 3),
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories(), st.integers(0, 2**32))
async def test_any_order_and_any_batches_give_the_same_people(
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


@pytest.mark.parametrize("round_", range(5))
async def test_workers_that_merge_at_once_lose_nothing(postgres_url: str, round_: int) -> None:
    from angarium.core.store.open import open_store

    store = await open_store(postgres_url)
    workspace = uuid4().hex
    random = Random(round_)
    messages = [
        said(
            f"m{i}",
            user_id=random.choice([None, "u1", "u2"]),
            anonymous_id=random.choice(["a1", "a2", "a3"]),
            at=random.randrange(50),
        )
        for i in range(60)
    ]
    shares = [messages[worker::4] for worker in range(4)]

    async def work(shard: int) -> None:
        for start in range(0, len(shares[shard]), 3):
            await apply(store, workspace, shares[shard][start : start + 3], shard)

    await asyncio.gather(*(work(shard) for shard in range(4)))
    found = await everybody(store, workspace)
    await store.close()

    reference = await open_store(postgres_url)
    await apply(reference, workspace + "r", messages)
    assert found == await everybody(reference, workspace + "r")
    await reference.close()
