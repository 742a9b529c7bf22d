"""The people of one batch: their profiles and totals, and profiles that become one."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from angarium.core.events.message import Message
from angarium.core.events.totals import EventTotals, add_occurrence, add_totals
from angarium.core.people import profile as rules
from angarium.core.people.profile import Profile
from angarium.core.store import people
from angarium.core.store.people import TotalsKey
from angarium.core.store.protocol import Transaction
from angarium.core.workers.identities import Merge, Settled


class People(msgspec.Struct):
    """What a batch works on: everything locked, changed in memory, written once at the end."""

    workspace: str
    profiles: dict[str, Profile]
    totals: dict[TotalsKey, EventTotals]
    touched: set[TotalsKey]

    def totals_of(self, profile: str, event: str) -> EventTotals | None:
        """One person's totals of one event."""
        return self.totals.get((profile, event))

    def set_totals(self, profile: str, event: str, totals: EventTotals) -> None:
        """They are written when the batch is saved."""
        self.totals[(profile, event)] = totals
        self.touched.add((profile, event))

    def add_occurrence(self, profile: str, message: Message) -> None:
        """Count an event of a person."""
        key = (profile, message.name)
        self.totals[key] = add_occurrence(self.totals.get(key), message.at, message.properties)
        self.touched.add(key)

    async def load_totals(self, tx: Transaction, keys: Collection[TotalsKey]) -> None:
        """Totals that were not loaded yet."""
        missing = [key for key in keys if key not in self.totals]
        self.totals |= await people.find_totals(tx, self.workspace, missing)

    async def save(self, tx: Transaction) -> None:
        """Write what changed."""
        new = {p.user_id: p.id for p in self.profiles.values() if p.revision == 0 and p.user_id}
        await people.save_users(tx, self.workspace, new)
        await people.save_profiles(tx, self.workspace, self.profiles.values())
        changed = {key: self.totals[key] for key in self.touched}
        await people.save_totals(tx, self.workspace, changed)


async def gather(
    tx: Transaction, workspace: str, wanted: Mapping[str, str | None], now: int
) -> People:
    """Lock the profiles of a batch."""
    profiles = await people.lock_profiles(tx, workspace, wanted, now)
    return People(workspace, profiles, {}, set())


async def join(tx: Transaction, crowd: People, settled: Settled) -> None:
    """Make one of the profiles that turned out to be one person's."""
    if not settled.merges:
        return
    sources = [merge.source for merge in settled.merges]
    old = await people.list_totals(tx, crowd.workspace, sources)
    targets = {merge.source: merge.target for merge in settled.merges}
    await crowd.load_totals(tx, {(targets[source], event) for source, event in old})
    for (source, event), totals in old.items():
        target = targets[source]
        crowd.set_totals(target, event, add_totals(crowd.totals_of(target, event), totals))
    await tx.run("drop_totals", workspace=crowd.workspace, ids=sources)
    for merge in settled.merges:
        _join_states(crowd, merge)
        await tx.run(
            "move_events_of_profile",
            workspace=crowd.workspace,
            source=merge.source,
            target=merge.target,
        )


def _join_states(crowd: People, merge: Merge) -> None:
    source, target = crowd.profiles[merge.source], crowd.profiles[merge.target]
    target.decoded = rules.merge(target.state, source.state)
    rules.hear_login(target.decoded, merge.anonymous_id, merge.at)
    target.touch()
    target.see(source.last_seen_at)
    target.created_at = min(target.created_at, source.created_at)
    source.decoded = rules.State()
    source.touch()
    source.merged_into = merge.target


def merge_rows(workspace: str, merges: Sequence[Merge], now: int) -> list[tuple[object, ...]]:
    """Log entries that show the merges in the timeline (a source merges once)."""

    def said(merge: Merge) -> dict[str, str]:
        if merge.user_id is not None:
            return {"userId": merge.user_id}
        return {"anonymousId": merge.anonymous_id}

    return [
        (
            workspace,
            f"merge:{merge.source}",
            merge.target,
            merge.at,
            now,
            "merge",
            "",
            merge.anonymous_id or None,
            None,
            None,
            None,
            msgspec.json.encode(said(merge)).decode(),
        )
        for merge in merges
    ]
