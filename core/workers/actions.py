"""Save what the run machine decided: runs, deliveries, refusals and figures together."""

from collections.abc import Sequence

import msgspec

from angarium.core.campaigns.rules import Rule
from angarium.core.campaigns.runs import (
    Action,
    Cancel,
    CancelDeliveries,
    Plan,
    Refuse,
    Remember,
    Run,
    Start,
    Wait,
)
from angarium.core.delivery.record import NewDelivery
from angarium.core.events.message import Message
from angarium.core.people.profile import Profile
from angarium.core.store import ledger, runs
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import Withdrawal
from angarium.core.store.protocol import Transaction
from angarium.core.store.runs import Refusal, StoredRun
from angarium.core.workers.planning import Wanted, choose_channels, deliver_run
from angarium.core.workers.rules import RuleShelf

Found = dict[str, StoredRun]
"""One person's runs of one campaign by id."""


class Actions:
    """Collected while a batch is worked on, written at its end."""

    def __init__(self, shelf: RuleShelf, workspace: str, now: int, shard: int) -> None:
        self._shelf = shelf
        self._workspace = workspace
        self._now = now
        self._shard = shard
        self._runs: dict[str, StoredRun] = {}
        self._plans: list[tuple[Rule, Profile, StoredRun]] = []
        self._withdrawals: list[Withdrawal] = []
        self._refusals: dict[tuple[str, str, str], Refusal] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def take(
        self,
        rule: Rule,
        person: Profile,
        actions: Sequence[Action],
        found: Found,
        message: Message | None,
    ) -> None:
        """Note what is to be done; `found` is brought up to date for the next event."""
        for action in actions:
            match action:
                case Start(run) | Remember(run):
                    self._set(rule, person, run, found, message)
                case Plan(run):
                    stored = self._set(rule, person, run, found, message)
                    self._plans.append((rule, person, stored))
                case Cancel(id, reason, _):
                    self._cancel(rule, person, found[id], reason, found)
                case Wait(id, until):
                    run = msgspec.structs.replace(found[id].run, due_at=until)
                    self._set(rule, person, run, found, message)
                case CancelDeliveries():
                    self.withdraw(person, action)
                case Refuse():
                    self._refuse(rule, person, action)

    def withdraw(self, person: Profile, one: CancelDeliveries) -> None:
        """Note that what is planned and not yet handed over is to be cancelled."""
        self._withdrawals.append(
            Withdrawal(
                self._workspace, person.id, one.campaign, one.until, one.same_device, one.device
            )
        )

    def _set(
        self, rule: Rule, person: Profile, run: Run, found: Found, message: Message | None
    ) -> StoredRun:
        before = found.get(run.id)
        if before is None:
            request = message.request_id if message is not None else None
            stored = StoredRun(self._workspace, person.id, run, request, self._now)
            self._count(rule, "enrolled", 1)
        else:
            stored = msgspec.structs.replace(before, profile_id=person.id, run=run)
        was = before is not None and before.run.state == "waiting"
        self._count(rule, "waiting", (run.state == "waiting") - was)
        found[run.id] = self._runs[run.id] = stored
        return stored

    def _cancel(
        self, rule: Rule, person: Profile, stored: StoredRun, reason: str, found: Found
    ) -> None:
        run = msgspec.structs.replace(stored.run, state="cancelled", reason=reason, due_at=None)
        self._set(rule, person, run, found, None)
        by_stop = "cancelled_by_stop" if reason == "stopped" else f"cancelled_{reason}"
        self._count(rule, by_stop, 1)

    def abandon(self, stored: StoredRun, reason: str) -> None:
        """End a run whose rule is not to be had any more."""
        run = msgspec.structs.replace(stored.run, state="cancelled", reason=reason, due_at=None)
        self._runs[run.id] = msgspec.structs.replace(stored, run=run)
        for name, more in (("waiting", -1), (f"cancelled_{reason}", 1)):
            key = (run.campaign, name)
            self._counts[key] = self._counts.get(key, 0) + more

    def _refuse(self, rule: Rule, person: Profile, refusal: Refuse) -> None:
        key = (person.id, rule.campaign, refusal.reason)
        count = self._refusals[key].count + 1 if key in self._refusals else 1
        self._refusals[key] = Refusal(*key, rule.version, self._now, count, refusal.saw)
        self._count(rule, f"refused_{refusal.reason}", 1)

    def _count(self, rule: Rule, name: str, more: int) -> None:
        key = (rule.campaign, name)
        self._counts[key] = self._counts.get(key, 0) + more

    async def save_runs(self, tx: Transaction) -> None:
        """Write the runs alone, for somebody who reads them again in this transaction."""
        await runs.save_runs(tx, self._runs.values(), self._now)
        self._runs = {}

    async def save(self, tx: Transaction, changes: Changes) -> None:
        """Write everything."""
        await self.save_runs(tx)
        await ledger.plan(tx, await self._deliveries(tx), changes)
        await ledger.cancel(tx, self._withdrawals, "stopped", changes, self._now)
        await runs.save_refusals(tx, self._workspace, list(self._refusals.values()))
        await runs.count_campaigns(tx, self._workspace, self._counts, self._shard)

    async def _deliveries(self, tx: Transaction) -> list[NewDelivery]:
        shelf, now = self._shelf, self._now
        wanted = [
            Wanted(
                self._workspace,
                person,
                rule.definition,
                rule.definition.content.order,
                now,
                stored.run.device,
            )
            for rule, person, stored in self._plans
        ]
        chosen = await choose_channels(tx, wanted, shelf.channels, shelf.messages)
        return [
            deliver_run(rule, stored.run, person, channel, stored.request_id, now, shelf.messages)
            for (rule, person, stored), channel in zip(self._plans, chosen, strict=True)
        ]
