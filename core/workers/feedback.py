"""Apply the FEEDBACK stream: receipts, opens, clicks, opt-outs. Each message once.

The position moves in the transaction that holds the effects, and is the fence against a second
reader; a lease (leases.py) keeps a second one from trying.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusError, StreamReset
from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import FEEDBACK, workspace_of
from angarium.core.delivery.feedback import (
    OPERATOR,
    RESEND,
    SETTLEMENTS,
    Feedback,
    parse_feedback,
)
from angarium.core.delivery.status import Reaction
from angarium.core.people.consent import CONSENT_OF
from angarium.core.store import positions
from angarium.core.store.attempts import Suppressed
from angarium.core.store.changes import Changes
from angarium.core.store.errors import Contention, Refused, StoreUnavailable
from angarium.core.store.feedback import Handed, apply_feedback, find_handed, settle
from angarium.core.store.people import find_by_mobile
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.resends import resend
from angarium.core.workers.choices import take_choices
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.deaths import bury
from angarium.core.workers.early import EarlyNews, note_unknown
from angarium.core.workers.heard import find_unheard, remember
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.tolls import permit
from angarium.core.workers.workspaces import Workspaces
from angarium.plugins.channel import SMS

log: Any = structlog.get_logger()

MESSAGES_AT_ONCE = 500
PAUSE_SECONDS = 0.5

SHARING = 100
"""People of one number who are opted out by its STOP; the number itself is suppressed for all."""

WITHDRAWALS = (Reaction.UNSUBSCRIBED, Reaction.COMPLAINED)
"""Reactions by which a person opts out of the channel."""


class OptOut(Protocol):
    """Change a person's consent: they withdrew from `channel` at `at` (ms), said by `id`."""

    async def __call__(
        self, tx: Transaction, workspace: str, profile_id: str, channel: str, at: int, id: str
    ) -> None: ...


class Fenced(Exception):
    """Another reader has moved the position of the stream."""


class FeedbackReader:
    """The reader of the stream; `unknown` and `unreadable` count what named nothing of ours."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        publisher: Publisher,
        opt_out: OptOut,
        now: Now,
        consents: Mapping[str, str] = CONSENT_OF,
    ) -> None:
        """consents: the channels by the attributes that hold their consents."""
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._opt_out = opt_out
        self._now = now
        self._consents = consents
        self._workspaces = Workspaces(store)
        self.early = EarlyNews(store, publisher, self._apply, now)
        self._position = 0
        self._epoch = ""
        self.applied = 0
        self.unknown = 0
        self.unreadable = 0

    async def run(self) -> None:
        """Read until cancelled. Raises Fenced."""
        beside = asyncio.create_task(self.early.run())
        try:
            while True:
                try:
                    await self._find_position()
                    await self._read()
                except (BusError, StoreUnavailable) as error:
                    log.warning("feedback_waits", reason=str(error))
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    async def apply(self, received: Sequence[Received]) -> None:
        """Apply messages that follow on the position, however long the store is away."""
        while True:
            try:
                return await self._commit(received)
            except Refused as error:
                if len(received) == 1:
                    log.error("feedback_refused", sequence=received[0].sequence, reason=str(error))
                    return await self._commit(received, skip=True)
                half = len(received) // 2
                await self.apply(received[:half])
                received = received[half:]
            except (Contention, StoreUnavailable) as error:
                log.warning("feedback_waits", count=len(received), reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _find_position(self) -> None:
        state = await self._bus.stream_state(FEEDBACK)
        async with self._store.reading() as tx:
            self._position, epoch = await positions.load_position(tx, FEEDBACK, 0)
        if epoch and epoch != state.epoch:
            log.error("feedback_stream_was_replaced", applied_up_to=self._position)
            await self._publisher.commit(lambda tx, _: self._advance(tx, 0, state.epoch))
            self._position = 0
        self._epoch = state.epoch

    async def _read(self) -> None:
        async with self._bus.pull(FEEDBACK, after=self._position) as puller:
            try:
                while True:
                    received = await puller.get(MESSAGES_AT_ONCE)
                    await self.apply(received)
                    await puller.ack(self._position)
            except StreamReset as reset:
                log.error("feedback_stream_is_new", reason=str(reset))

    async def _commit(self, received: Sequence[Received], *, skip: bool = False) -> None:
        items = [] if skip else self._parse(received)
        last = received[-1].sequence
        strange = await self._workspaces.strangers([workspace for workspace, _ in items])

        async def work(tx: Transaction, changes: Changes) -> int:
            await self._advance(tx, last, self._epoch)
            workspaces = sorted({workspace for workspace, _ in items} - strange)
            known = [
                await self._apply(tx, workspace, [i for w, i in items if w == workspace], changes)
                for workspace in workspaces
            ]
            return sum(known)

        known = await self._publisher.commit(work)
        crash_point("feedback.applied")
        self._position = last
        self.applied += known
        if known < len(items):
            self.unknown += len(items) - known
            log.info("feedback_unknown", count=len(items) - known)

    async def _advance(self, tx: Transaction, new: int, epoch: str) -> None:
        if not await positions.advance(tx, FEEDBACK, 0, self._position, new, epoch):
            raise Fenced("another reader applies the feedback")

    async def _apply(
        self, tx: Transaction, workspace: str, items: Sequence[Feedback], changes: Changes
    ) -> int:
        items, chosen = await take_choices(tx, workspace, items, self._consents)
        settled = await self._settle(tx, workspace, items, changes)
        items = await find_unheard(tx, workspace, [i for i in items if i.kind != OPERATOR])
        handed = await find_handed(tx, workspace, items)
        for item, delivery in zip(items, handed, strict=True):
            if delivery is not None and item.word in WITHDRAWALS:
                channel, person = delivery.channel, delivery.profile_id
                await self._opt_out(tx, workspace, person, channel, item.at, item.id)
        await self._stop(tx, workspace, [item for item in items if _is_stop(item)])
        called = [
            (item.provider or found.channel, found)
            for item, delivery in zip(items, handed, strict=True)
            if (found := _dead(workspace, item, delivery)) is not None
        ]
        dead = await permit(tx, called, {}, self._now())
        heard = await apply_feedback(tx, workspace, items, changes, self._now())
        await remember(tx, workspace, items, handed, self._now())
        await note_unknown(tx, workspace, items, handed, changes, self._now())
        await bury(tx, dead)
        stopped = sum(1 for item in items if _is_stop(item))
        return len(heard) + stopped + settled + chosen

    async def _stop(self, tx: Transaction, workspace: str, stops: Sequence[Feedback]) -> None:
        """Whose number it is opts out, so that another number of theirs gets nothing either."""
        for item in stops:
            if item.channel == SMS.name:
                for person in await find_by_mobile(tx, workspace, item.address, SHARING):
                    id = f"{item.id or item.at}:{person}"
                    await self._opt_out(tx, workspace, person, item.channel, item.at, id)

    async def _settle(
        self, tx: Transaction, workspace: str, items: Sequence[Feedback], changes: Changes
    ) -> int:
        """What operators say of deliveries in doubt, or given up; how many that were."""
        said = [item for item in items if item.kind == OPERATOR]
        for item in said:
            if item.status == RESEND:
                await resend(tx, workspace, item.delivery, changes, self._now())
                continue
            word = SETTLEMENTS[item.status]
            await settle(tx, workspace, item.delivery, word, changes, self._now())
        return len(said)

    def _parse(self, received: Sequence[Received]) -> list[tuple[str, Feedback]]:
        items: list[tuple[str, Feedback]] = []
        for message in received:
            try:
                item = parse_feedback(message.body)
            except (ValueError, RecursionError) as error:
                self.unreadable += 1
                log.warning("feedback_unreadable", sequence=message.sequence, reason=str(error))
                continue
            at = min(item.at, message.at) if item.at > 0 else message.at
            items.append((workspace_of(message.subject), msgspec.structs.replace(item, at=at)))
        return items


def _is_stop(item: Feedback) -> bool:
    """An answer that names no message, only who sent it (an SMS "STOP")."""
    named = item.delivery or item.provider_id
    return item.word == Reaction.UNSUBSCRIBED and not named and bool(item.channel and item.address)


def _dead(workspace: str, item: Feedback, delivery: Handed | None) -> Suppressed | None:
    """The address to which nothing may be sent any more, if this is what is said."""
    if _is_stop(item):
        return Suppressed(workspace, item.channel, item.address, "unsubscribed", item.at)
    if delivery is None or not delivery.address:
        return None
    where = (workspace, delivery.channel, delivery.address)
    if item.word == Reaction.COMPLAINED:
        return Suppressed(*where, "complained", item.at)
    return Suppressed(*where, "bounced", item.at) if item.address_dead else None
