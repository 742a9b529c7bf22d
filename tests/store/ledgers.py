"""Reading and writing the ledger in tests."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from angarium.core.delivery.record import Delivery, NewDelivery, move
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Answer, Judged, hand_over, record
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import Key, claim, lock, plan
from angarium.core.store.outcomes import Dimensions, sum_counts
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from tests.delivery.examples import NOW

T = TypeVar("T")


async def commit(
    store: Store, work: Callable[[Transaction, Changes], Awaitable[T]], now: int = NOW
) -> T:
    """One transaction with its counters and reports."""

    async def attempt(tx: Transaction) -> T:
        changes = Changes()
        result = await work(tx, changes)
        await changes.save(tx, now)
        return result

    return await transact(store, attempt)


async def planned(store: Store, *deliveries: NewDelivery) -> list[str]:
    """Plan them."""
    return await commit(store, lambda tx, changes: plan(tx, deliveries, changes))


async def claimed(
    store: Store, worker: str = "w1", *, channel: str = "email", limit: int = 100, now: int = NOW
) -> list[Delivery]:
    """Claim what is due."""
    return await commit(
        store, lambda tx, changes: claim(tx, worker, channel, limit, changes, now), now
    )


async def row(store: Store, id: str = "dlv_1") -> Delivery:
    """One delivery as it stands."""
    async with store.transaction() as tx:
        (found,) = await lock(tx, [("default", id)])
    return found


async def figures(store: Store) -> dict[tuple[str, str], int]:
    """All counters, by kind and name."""
    async with store.reading() as tx:
        found = await sum_counts(tx, "default", (0, 2**40), None, Dimensions())
    return {(figure.kind, figure.name): figure.count for figure in found}


async def states(store: Store) -> dict[str, int]:
    """The counters of states."""
    return {name: n for (kind, name), n in (await figures(store)).items() if kind == "state"}


def judged(claim: Delivery, wanted: Delivery | None = None, **facts: object) -> Judged:
    """A judgement by which a claimed delivery may be sent, or becomes `wanted`."""
    sent = wanted or move(
        claim, DeliveryState.HANDED, provider="email_test", handed_at=NOW, attempt=claim.attempt + 1
    )
    given: dict[str, Any] = {"gates": "[]", "context": "{}", "revision": None}
    return Judged(claim, sent, **(given | facts))


async def handed(store: Store, *claims: Delivery) -> list[Delivery]:
    """Hand over what was claimed."""
    verdicts = [judged(claim) for claim in claims]
    await commit(store, lambda tx, changes: hand_over(tx, verdicts, changes, NOW))
    return [verdict.wanted for verdict in verdicts]


async def in_flight(store: Store, *deliveries: NewDelivery) -> list[Delivery]:
    """Plan, claim and hand over deliveries."""
    await planned(store, *deliveries)
    return await handed(store, *await claimed(store))


async def answered(store: Store, *answers: Answer) -> set[Key]:
    """Record what a provider answered."""
    return await commit(store, lambda tx, changes: record(tx, answers, changes, NOW))


async def save_person(store: Store, id: str = "prf_1", revision: int = 1) -> None:
    """A person, or a later revision of one."""
    columns = ("default", id, None, NOW, NOW, "{}", "{}", revision, None)
    async with store.transaction() as tx:
        await tx.many("save_profiles", [columns])
