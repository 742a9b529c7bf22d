"""A delivery worker's transactions with the ledger; all its loops share them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from angarium.core.delivery.gates import GATES, Gate
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.routes import Board
from angarium.core.store.attempts import Judged, hand_over
from angarium.core.store.changes import Changes
from angarium.core.store.codes import Wanted, give_codes
from angarium.core.store.errors import Contention, Refused, StoreUnavailable
from angarium.core.store.ledger import Key, claim, release, take_back
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.facts import Case, FactFinder, Outlet
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.senders import Round, Senders
from angarium.core.workers.verdicts import (
    Opinion,
    Ready,
    held_after_mistake,
    judge_all,
    wanted_codes,
    with_codes,
    write_all,
)

log: Any = structlog.get_logger()


class Desk:
    """Claim, judge, hand over, give back."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        worker: str,
        finder: FactFinder,
        renderer: Renderer,
        now: Now,
        gates: Sequence[Gate] = GATES,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._worker = worker
        self._finder = finder
        self._renderer = renderer
        self._now = now
        self._gates = gates

    async def claim(
        self, channel: str, senders: Senders, most: int
    ) -> tuple[Round, list[Delivery]]:
        """Take up to `most` due deliveries, and no more than the senders can be given now."""

        async def work(tx: Transaction, changes: Changes) -> tuple[Round, list[Delivery]]:
            opened = await senders.open(tx, most)
            limit = opened.limit
            if not limit:
                return opened, []
            found = await claim(tx, self._worker, channel, limit, changes, self._now())
            return await senders.spend(tx, opened, len(found)), found

        round_, claimed = await self._publisher.commit(work)
        senders.begin(round_)
        return round_, claimed

    async def judge(self, claimed: Sequence[Delivery], outlet: Outlet, board: Board) -> list[Ready]:
        """Judge and render them; what cannot even be judged is held, and spoils nothing else."""
        try:
            cases = await self._find(claimed, outlet)
            opinions = await self._ask(cases, board)
            await asyncio.sleep(0)  # other channels have their turn
            return write_all(opinions, self._renderer)
        except (Contention, StoreUnavailable):
            raise
        except Exception as error:
            if len(claimed) > 1:
                board.reset()
                return [ready for c in claimed for ready in await self.judge([c], outlet, board)]
            log.exception("delivery_not_judged", delivery=claimed[0].id, error=type(error).__name__)
            return [Ready(held_after_mistake(claimed[0], self._now()))]

    async def hand_over(self, judged: Sequence[Judged]) -> set[Key]:
        """Commit the judgements; gives the keys of those that took effect."""

        async def work(tx: Transaction, changes: Changes) -> set[Key]:
            return await hand_over(tx, judged, changes, self._now())

        try:
            return await self._publisher.commit(work)
        except Refused as error:
            return await self._part(judged, error)

    async def _part(self, judged: Sequence[Judged], error: Refused) -> set[Key]:
        """One of these cannot be stored (PostgreSQL's JSON holds no NUL): hold that one only."""
        if len(judged) > 1:
            return {key for one in judged for key in await self.hand_over([one])}
        (one,) = judged
        held = held_after_mistake(one.claimed, self._now())
        if one.wanted == held.wanted:
            raise error
        log.error("delivery_refused_by_store", delivery=one.claimed.id, reason=str(error))
        await self.hand_over([held])
        return set()

    async def give_back(self, channel: str | None, unsent: Sequence[Delivery] = ()) -> None:
        """Let go of what was claimed, and of `unsent`, which may be committed as handed."""

        async def work(tx: Transaction, changes: Changes) -> None:
            now = self._now()
            await take_back(tx, unsent, changes, now)
            await release(tx, self._worker, channel, changes, now)

        await self._publisher.commit(work)

    async def _ask(self, cases: Sequence[Case], board: Board) -> list[Opinion]:
        """The gates' answers, when everybody who may be sent something has a code, if needed.

        Each time round some learn of their codes; where there are too few, others may come in.
        """
        mark = board.mark()
        opinions = judge_all(cases, board, self._gates)
        while wanted := wanted_codes(opinions):
            cases = with_codes(cases, wanted, await self._give_codes(wanted))
            board.rewind(mark)
            opinions = judge_all(cases, board, self._gates)
        return opinions

    async def _give_codes(self, wanted: Sequence[Wanted]) -> Mapping[Key, str]:
        async def work(tx: Transaction) -> Mapping[Key, str]:
            return await give_codes(tx, wanted, self._now())

        codes = await transact(self._store, work)
        crash_point("deliver.coded")
        return codes

    async def _find(self, claimed: Sequence[Delivery], outlet: Outlet) -> list[Case]:
        async with self._store.reading() as tx:
            return await self._finder.find(tx, claimed, outlet, self._now())
