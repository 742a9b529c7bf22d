"""Fire the runs whose time has come. Timers are rows; the clock only looks which are due."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from angarium.core.campaigns import machine
from angarium.core.campaigns.rules import Rule
from angarium.core.events.totals import EventTotals
from angarium.core.store import people, runs
from angarium.core.store.changes import Changes
from angarium.core.store.errors import StoreError
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.runs import StoredRun
from angarium.core.workers.actions import Actions
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.enrol import facts_of
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.rules import RuleShelf

log: Any = structlog.get_logger()

LOOK_SECONDS = 0.1
PAUSE_SECONDS = 0.5
RUNS_AT_ONCE = 500


class Timers:
    """Any number of processes may run one; each takes other runs."""

    def __init__(
        self, store: Store, publisher: Publisher, rules: RuleShelf, now: Now, shard: int = 0
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._rules = rules
        self._now = now
        self._shard = shard

    async def run(self) -> None:
        """Look ten times a second until cancelled."""
        while True:
            try:
                fired = await self.fire()
            except StoreError as error:
                log.warning("timers_wait", reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if fired < RUNS_AT_ONCE:
                await asyncio.sleep(LOOK_SECONDS)

    async def fire(self) -> int:
        """Deal with what is due, a batch at most; how many runs that were."""
        async with self._store.reading() as tx:
            due = await runs.next_due(tx)
        if due is None or due > self._now():
            return 0
        fired = await self._publisher.commit(self._fire)
        crash_point("timers.committed")
        return fired

    async def _fire(self, tx: Transaction, changes: Changes) -> int:
        now = self._now()
        await self._rules.refresh(tx)
        due = await runs.claim_due_runs(tx, now, RUNS_AT_ONCE)
        by_workspace: dict[str, list[StoredRun]] = {}
        for stored in due:
            by_workspace.setdefault(stored.workspace, []).append(stored)
        for workspace, found in by_workspace.items():
            await self._fire_in(tx, changes, workspace, found, now)
        crash_point("timers.before_commit")
        return len(due)

    async def _fire_in(
        self, tx: Transaction, changes: Changes, workspace: str, due: Sequence[StoredRun], now: int
    ) -> None:
        book = self._rules.book(workspace)
        rules = {
            stored.run.id: rule
            for stored in due
            if (rule := book.find_rule(stored.run.campaign, stored.run.version)) is not None
        }
        persons = await people.find_profiles(tx, workspace, {stored.profile_id for stored in due})
        found = await people.find_totals(tx, workspace, _totals_needed(due, rules))
        totals: dict[str, dict[str, EventTotals]] = {}
        for (profile, event), one in found.items():
            totals.setdefault(profile, {})[event] = one
        actions = Actions(self._rules, workspace, now, self._shard)
        for stored in due:
            rule = rules.get(stored.run.id)
            if rule is None:
                actions.abandon(stored, "campaign_gone")
                continue
            person = persons[stored.profile_id]
            events = totals.get(person.id, {})
            facts = facts_of(person, events, self._rules, book.asks_reachable)
            decided = machine.on_tick(rule, stored.run, facts, now)
            actions.take(rule, person, decided, {stored.run.id: stored}, None)
        await actions.save(tx, changes)


def _totals_needed(due: Sequence[StoredRun], rules: dict[str, Rule]) -> set[tuple[str, str]]:
    return {
        (stored.profile_id, event)
        for stored in due
        if (rule := rules.get(stored.run.id)) is not None and rule.leave_cancels and rule.audience
        for event in rule.audience.events
    }
