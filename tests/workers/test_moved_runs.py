"""Runs of people whose words turned out to be somebody else's, on both stores."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from angarium.core.events.message import Message
from angarium.core.people.identity import profile_of_user
from angarium.core.store import runs
from angarium.core.store.campaigns import create_campaign, move
from angarium.core.store.changes import Changes
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.apply import Batch, apply_messages
from angarium.core.workers.enrol import Enrolment
from angarium.core.workers.knowledge import load_knowledge
from angarium.core.workers.rules import RuleShelf
from tests.workers.people import NOW, said

CART: dict[str, Any] = {
    "name": "Cart",
    "send_at": {"trigger": {"event": "Cart"}, "delay": "P1D", "stop": {"event": "Bought"}},
    "content": {"email": {"subject": "Your cart", "text": "It waits."}},
}


async def with_campaign(store: Store) -> str:
    workspace = uuid4().hex
    async with store.transaction() as tx:
        made = await create_campaign(tx, workspace, f"cmp_{workspace}", "Cart", json.dumps(CART), 1)
        await move(tx, workspace, made, "active", 1)
    return workspace


async def apply(store: Store, workspace: str, *messages: Message) -> None:
    async def work(tx: Transaction) -> None:
        shelf = RuleShelf({}, "UTC")
        await shelf.refresh(tx)
        changes = Changes()
        enrolment = Enrolment(shelf, workspace, NOW, 0)
        knowledge = await load_knowledge(tx, workspace)
        await apply_messages(tx, Batch(knowledge, enrolment, changes, NOW, "IR"), messages, 0)
        await changes.save(tx, NOW)

    await transact(store, work)


async def states(store: Store, workspace: str, user: str) -> Sequence[tuple[int, str, str | None]]:
    async with store.transaction() as tx:
        found = await runs.list_runs(tx, workspace, [profile_of_user(workspace, user)], 0)
    return sorted((one.run.triggered_at - NOW, one.run.state, one.run.reason) for one in found)


async def test_a_late_login_leaves_one_run_of_two(store: Store) -> None:
    """S2.5: the visitor's cart was taken for u2's, who logged in at 40; it is that of u1, at 30."""
    workspace = await with_campaign(store)
    await apply(store, workspace, said("m1", name="Cart", user_id="u1", at=10))
    await apply(store, workspace, said("m2", name="Cart", anonymous_id="a", at=20))
    await apply(store, workspace, said("m3", user_id="u2", anonymous_id="a", at=40))
    assert await states(store, workspace, "u2") == [(20, "waiting", None)]

    await apply(store, workspace, said("m4", user_id="u1", anonymous_id="a", at=30))

    assert await states(store, workspace, "u2") == []
    waiting = [one for one in await states(store, workspace, "u1") if one[1] == "waiting"]
    assert waiting == [(20, "waiting", None)]


async def test_a_run_that_is_not_doubled_goes_on_as_it_was(store: Store) -> None:
    workspace = await with_campaign(store)
    await apply(store, workspace, said("m1", name="Cart", anonymous_id="a", at=20))
    await apply(store, workspace, said("m2", user_id="u2", anonymous_id="a", at=40))

    await apply(store, workspace, said("m3", user_id="u1", anonymous_id="a", at=30))

    assert await states(store, workspace, "u1") == [(20, "waiting", None)]
