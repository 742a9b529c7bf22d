"""A plugin's gate in the delivery worker: what it holds is not sent, and stands in explain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from angarium.core.delivery.added_gates import added_gates
from angarium.core.delivery.gates import GATES
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.status import DeliveryState
from angarium.core.delivery.templates import Templates
from angarium.core.store.outcomes import find_delivery
from angarium.core.workers.deliver import Deliverer, DeliverSettings
from angarium.plugins import gates as added
from angarium.plugins.channel import EMAIL
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row
from tests.workers.offices import Director, Office, routed


@asynccontextmanager
async def delivering(office: Office, mail: Director, gate: added.Gate) -> AsyncIterator[None]:
    deliverer = Deliverer(
        office.store,
        office.bus,
        office.publisher,
        worker="w1",
        channels={"email": EMAIL},
        providers=routed(mail),
        renderer=Renderer(Templates(), office.links),
        settings=DeliverSettings(),
        now=lambda: office.now,
        gates=(*GATES, *added_gates({"mine": gate})),
    )
    stop = asyncio.Event()
    working = asyncio.create_task(deliverer.run(stop))
    yield
    stop.set()
    await working


async def test_what_a_gate_holds_waits_and_is_sent_when_the_gate_lets_it(shop: Office) -> None:
    def gate(candidate: added.Candidate) -> added.Send | added.Hold:
        early = candidate.now < NOW + 60_000
        return added.Hold(NOW + 60_000, "early") if early else added.Send()

    await shop.plan(new_delivery())
    mail = Director()
    async with delivering(shop, mail, gate):
        await shop.became(held=1)
        held = await row(shop.store)
        shop.now = NOW + 60_000
        await mail.received(1)
        await shop.became(accepted=1)

    assert (held.state, held.reason, held.due_at) == (
        DeliveryState.HELD,
        "plugin.mine.early",
        NOW + 60_000,
    )


async def test_a_gate_that_fails_holds_its_message_and_stands_in_explain(shop: Office) -> None:
    def gate(candidate: added.Candidate) -> added.Send:
        if candidate.delivery == "dlv_1":
            raise KeyError("a person's secret")
        return added.Send()

    await shop.plan(new_delivery(), new_delivery("dlv_2"))
    mail = Director()
    async with delivering(shop, mail, gate):
        await shop.became(held=1, accepted=1)

    assert mail.keys == ["dlv_2"]
    async with shop.store.reading() as tx:
        found = await find_delivery(tx, "default", "dlv_1")
    assert found is not None
    assert found.gates[-1]["gate"] == "plugin.mine"
    assert (found.gates[-1]["verdict"], found.gates[-1]["reason"]) == ("hold", "gate_error")
