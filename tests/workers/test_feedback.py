"""The FEEDBACK stream applied to the ledger, on both stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import FEEDBACK, feedback_subject
from angarium.core.delivery.promises import after_acceptance, after_doubt
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Answer, hand_over
from angarium.core.store.positions import advance, load_position
from angarium.core.store.protocol import Transaction
from angarium.core.store.reading import START_SERIAL, list_logged_events
from angarium.core.store.suppressions import list_suppressions
from angarium.core.workers.feedback import FeedbackReader, Fenced
from tests.delivery.examples import NOW, new_delivery
from tests.parts.waiting import until
from tests.store.ledgers import (
    answered,
    claimed,
    commit,
    figures,
    handed,
    judged,
    planned,
    row,
    states,
)
from tests.workers.offices import Office

S = DeliveryState
SUBJECT = feedback_subject("default")
YESTERDAY = 1_700_000_000_000
"""Before the stream's own clock, unlike NOW."""


class Consents:
    """What the reader had changed of people's consents."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, int, str]] = []

    async def opt_out(
        self, tx: Transaction, workspace: str, profile_id: str, channel: str, at: int, id: str
    ) -> None:
        self.said.append((profile_id, channel, at, id))


@pytest.fixture
def consents() -> Consents:
    return Consents()


@pytest.fixture
def reader(office: Office, consents: Consents) -> FeedbackReader:
    return _reader(office, consents)


def _reader(office: Office, consents: Consents) -> FeedbackReader:
    opt_out = consents.opt_out
    return FeedbackReader(office.store, office.bus, office.publisher, opt_out, lambda: office.now)


@asynccontextmanager
async def reading(reader: FeedbackReader) -> AsyncIterator[None]:
    """Reads during the block."""
    task = asyncio.create_task(reader.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def accepted(office: Office, *ids: str) -> None:
    """Deliveries that a provider took."""
    await planned(office.store, *(new_delivery(id) for id in ids))
    context = '{"address": "a@b.example"}'
    verdicts = [judged(claim, context=context) for claim in await claimed(office.store)]
    await commit(office.store, lambda tx, changes: hand_over(tx, verdicts, changes, NOW))
    sent = [verdict.wanted for verdict in verdicts]
    answers = [Answer(one, after_acceptance(one, f"m-{one.id}", NOW)) for one in sent]
    await answered(office.store, *answers)


async def say(office: Office, *pieces: dict[str, Any]) -> None:
    for piece in pieces:
        body = {"delivery": "dlv_1", "at": NOW, "id": uuid4().hex, **piece}
        await office.bus.publish(SUBJECT, msgspec.json.encode(body))


async def applied_to(office: Office, position: int) -> None:
    """Wait until everything up to `position` is applied."""

    async def holds() -> bool:
        async with office.store.reading() as tx:
            return (await load_position(tx, FEEDBACK, 0))[0] >= position

    await until(holds)


async def test_receipts_and_reactions_are_applied_once_however_often_it_restarts(
    office: Office, consents: Consents
) -> None:
    await accepted(office, "dlv_1")
    pieces = [{"kind": "opened"}, {"kind": "status", "status": "delivered"}, {"kind": "opened"}]
    for n, piece in enumerate(pieces, 1):
        await say(office, piece)
        async with reading(_reader(office, consents)):
            await applied_to(office, n)
    assert await figures(office.store) == {
        ("state", "accepted"): 1,
        ("receipt", "delivered"): 1,
        ("reaction", "opened"): 1,
        ("reactions", "opened"): 2,
    }


async def test_the_history_tells_the_message_whichever_name_it_was_given(
    office: Office, consents: Consents
) -> None:
    """A provider names it by its own id."""
    await accepted(office, "dlv_1")
    name = {"delivery": "", "provider": "email_test", "providerId": "m-dlv_1"}
    await say(office, {"kind": "opened", **name})
    async with reading(_reader(office, consents)):
        await applied_to(office, 1)
    async with office.store.reading() as tx:
        [told] = await list_logged_events(tx, "default", "prf_1", START_SERIAL, 10)
    assert told.body["delivery"] == "dlv_1"


async def test_a_receipt_before_the_providers_own_answer_is_not_undone_by_it(
    office: Office, reader: FeedbackReader
) -> None:
    """G13.91."""
    await planned(office.store, new_delivery())
    (sent,) = await handed(office.store, *await claimed(office.store))
    await say(office, {"kind": "status", "status": "delivered"})
    async with reading(reader):
        await applied_to(office, 1)
    await answered(office.store, Answer(sent, after_acceptance(sent, "m-1", NOW)))
    now = await row(office.store)
    assert (now.state, now.provider_id) == (S.DELIVERED, "m-1")


@pytest.mark.parametrize("kind", ["unsubscribed", "complained"])
async def test_who_unsubscribes_or_complains_is_opted_out(
    office: Office, reader: FeedbackReader, consents: Consents, kind: str
) -> None:
    await accepted(office, "dlv_1")
    await say(office, {"kind": kind, "at": YESTERDAY, "id": "f0"})
    async with reading(reader):
        await applied_to(office, 1)
    assert consents.said == [("prf_1", "email", YESTERDAY, "f0")]
    assert (await figures(office.store))["reaction", kind] == 1


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        ({"kind": "complained"}, "complained"),
        ({"kind": "status", "status": "bounced", "addressDead": True}, "bounced"),
        ({"kind": "status", "status": "bounced"}, None),
        (
            {"delivery": "", "kind": "unsubscribed", "channel": "sms", "address": "+98912"},
            "unsubscribed",
        ),
    ],
)
async def test_an_address_that_must_get_nothing_more_is_suppressed(
    office: Office, reader: FeedbackReader, piece: dict[str, Any], reason: str | None
) -> None:
    await accepted(office, "dlv_1")
    await say(office, piece)
    async with reading(reader):
        await applied_to(office, 1)
    async with office.store.reading() as tx:
        found = await list_suppressions(tx, "default", None, ("", ""), 10)
    assert [(one.address, one.reason) for one in found] == (
        [(piece.get("address", "a@b.example"), reason)] if reason else []
    )
    assert reader.unknown == 0


async def test_what_cannot_be_read_or_names_nothing_of_ours_is_counted_and_passed_over(
    office: Office, reader: FeedbackReader
) -> None:
    """G13.90, 93."""
    await accepted(office, "dlv_1")
    await office.bus.publish(SUBJECT, b"not json")
    await say(office, {"kind": "danced"}, {"kind": "opened", "delivery": "dlv_9"})
    await say(office, {"kind": "opened"})
    async with reading(reader):
        await applied_to(office, 4)
    assert (reader.applied, reader.unknown, reader.unreadable) == (1, 1, 2)
    assert (await figures(office.store))["reaction", "opened"] == 1


async def test_a_piece_that_no_store_can_hold_spoils_no_other(
    office: Office, reader: FeedbackReader
) -> None:
    await accepted(office, "dlv_1")
    await say(office, {"kind": "opened"}, {"kind": "opened", "delivery": "dlv_\x00"})
    await say(office, {"kind": "clicked"})
    async with reading(reader):
        await applied_to(office, 3)
    counted = await figures(office.store)
    assert (counted["reaction", "opened"], counted["reaction", "clicked"]) == (1, 1)


async def test_a_time_that_cannot_be_is_the_time_of_arrival(
    office: Office, reader: FeedbackReader
) -> None:
    await accepted(office, "dlv_1")
    await say(office, {"kind": "opened", "at": 10**17}, {"kind": "clicked", "at": -5})
    async with office.bus.pull(FEEDBACK, after=0) as puller:
        first = (await puller.get(1))[0]
    async with reading(reader):
        await applied_to(office, 2)
    async with office.store.reading() as tx:
        ((_, _, text),) = await tx.fetch("read_reactions", keys=[("default", "dlv_1")])
    assert msgspec.json.decode(text)["opened"] == [first.at, 1]


async def test_what_names_no_workspace_leaves_nothing_behind(
    office: Office, reader: FeedbackReader
) -> None:
    stop = {"kind": "unsubscribed", "channel": "sms", "address": "+98912", "at": NOW, "id": "s"}
    await office.bus.publish(feedback_subject("nowhere"), msgspec.json.encode(stop))
    async with reading(reader):
        await applied_to(office, 1)
    async with office.store.reading() as tx:
        assert await list_suppressions(tx, "nowhere", None, ("", ""), 10) == []
    assert reader.unknown == 1


async def test_a_stop_opts_out_whoever_has_the_number(
    office: Office, reader: FeedbackReader, consents: Consents
) -> None:
    """S2.10: another number of theirs would not be on the list."""
    await office.person("prf_1", mobile="+989120000001")
    await office.person("prf_2", mobile="+989120000002")
    stop = {"kind": "unsubscribed", "channel": "sms", "address": "+989120000001", "delivery": ""}
    await say(office, {**stop, "id": "s"}, {**stop, "id": "s"})
    async with reading(reader):
        await applied_to(office, 2)
    assert {(who, channel, id) for who, channel, _, id in consents.said} == {
        ("prf_1", "sms", "s:prf_1")
    }


async def test_two_readers_never_apply_the_same(office: Office, consents: Consents) -> None:
    await accepted(office, "dlv_1")
    await say(office, {"kind": "opened"})
    body = msgspec.json.encode({"delivery": "dlv_1", "kind": "opened", "at": NOW, "id": "x"})
    first, second = _reader(office, consents), _reader(office, consents)
    await first.apply([Received(1, SUBJECT, body, NOW)])
    with pytest.raises(Fenced):
        await second.apply([Received(1, SUBJECT, body, NOW)])
    assert (await figures(office.store))["reactions", "opened"] == 1


async def test_a_new_stream_is_read_from_its_beginning(office: Office, consents: Consents) -> None:
    """D8."""
    await accepted(office, "dlv_1")
    async with office.store.transaction() as tx:
        await advance(tx, FEEDBACK, 0, 0, 1000, "another stream")
    await say(office, {"kind": "opened"})
    async with reading(_reader(office, consents)):

        async def counted() -> bool:
            return ("reaction", "opened") in await figures(office.store)

        await until(counted)
    assert await states(office.store) == {"accepted": 1}


@pytest.mark.parametrize(
    ("word", "state"), [("accepted", S.ACCEPTED), ("failed", S.FAILED), ("resend", S.PLANNED)]
)
async def test_an_operator_settles_a_delivery_in_doubt(
    office: Office, reader: FeedbackReader, word: str, state: DeliveryState
) -> None:
    await planned(office.store, new_delivery("dlv_1"))
    verdicts = [judged(claim) for claim in await claimed(office.store)]
    await commit(office.store, lambda tx, changes: hand_over(tx, verdicts, changes, NOW))
    sent = verdicts[0].wanted
    await answered(office.store, Answer(sent, after_doubt(sent, "lost", NOW, RetryPolicy())))

    await say(office, {"kind": "operator", "status": word})
    async with reading(reader):
        await applied_to(office, 1)

    assert (await row(office.store)).state is state
