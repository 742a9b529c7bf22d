"""Runs, refusals and figures of campaigns, read and written in batches."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from angarium.core.campaigns.runs import Run
from angarium.core.store.protocol import Row, Transaction


class StoredRun(msgspec.Struct):
    """A run with whose it is, and the request that began it."""

    workspace: str
    profile_id: str
    run: Run
    request_id: str | None
    created_at: int


class StoredRule(msgspec.Struct, frozen=True):
    """One version of a campaign. entering: whether its triggers begin runs. activated_at: ms."""

    workspace: str
    id: str
    version: int
    name: str
    state: str
    definition: str
    entering: bool
    activated_at: int


class Refusal(msgspec.Struct, frozen=True):
    """Triggers of one person that began no run, for one reason."""

    profile_id: str
    campaign: str
    reason: str
    version: int
    at: int
    count: int
    saw: Mapping[str, object]


_decode = msgspec.json.Decoder(dict[str, object]).decode
_encode = msgspec.json.Encoder().encode


async def list_rules(tx: Transaction) -> list[StoredRule]:
    """Every version of a campaign that an event may concern, of all workspaces."""
    rows = await tx.fetch("list_rules")
    return [
        StoredRule(workspace, id, version, name, state, definition, bool(entering), activated_at)
        for workspace, id, version, name, state, definition, entering, activated_at in rows
    ]


async def list_runs(
    tx: Transaction, workspace: str, profiles: Collection[str], since: int
) -> list[StoredRun]:
    """The waiting runs of some people, and those sent for triggers later than `since` (ms)."""
    if not profiles:
        return []
    ids = sorted(profiles)
    rows = await tx.fetch("list_runs", workspace=workspace, ids=ids, since=since)
    return [_stored(workspace, row) for row in rows]


async def claim_due_runs(tx: Transaction, now: int, limit: int) -> list[StoredRun]:
    """Waiting runs whose time has come; others that look at the same time get other ones."""
    rows = await tx.fetch("claim_due_runs", now=now, limit=limit)
    return [_stored(row[0], row[1:]) for row in rows]


async def next_due(tx: Transaction) -> int | None:
    """When the next waiting run is due (ms)."""
    ((at,),) = await tx.fetch("next_due_run")
    return None if at is None else int(at)


async def save_runs(tx: Transaction, runs: Iterable[StoredRun], now: int) -> None:
    """Runs as they are now."""
    rows = [_row(stored, now) for stored in runs]
    await tx.many("save_runs", sorted(rows, key=lambda row: (row[0], row[1])))


async def save_refusals(tx: Transaction, workspace: str, refusals: Sequence[Refusal]) -> None:
    """Why triggers began no runs."""
    rows = [
        (workspace, r.profile_id, r.campaign, r.reason, r.version, r.at, r.count, _json(r.saw))
        for r in refusals
    ]
    await tx.many("add_refusals", sorted(rows))


async def count_campaigns(
    tx: Transaction, workspace: str, counts: Mapping[tuple[str, str], int], shard: int
) -> None:
    """Add to the figures of campaigns: (campaign, figure) to how many more."""
    rows = [
        (workspace, campaign, name, shard, count)
        for (campaign, name), count in sorted(counts.items())
        if count
    ]
    await tx.many("count_campaigns", rows)


def _stored(workspace: str, row: Row) -> StoredRun:
    profile_id, id, campaign, version, state, step, due_at, triggered_at, device = row[:9]
    context, reason, request_id, created_at = row[9:]
    run = Run(
        id, campaign, version, state, step, due_at, triggered_at, device, _decode(context), reason
    )
    return StoredRun(workspace, profile_id, run, request_id, created_at)


def _row(stored: StoredRun, now: int) -> tuple[object, ...]:
    run = stored.run
    return (
        stored.workspace,
        run.id,
        run.campaign,
        run.version,
        stored.profile_id,
        run.state,
        run.step,
        run.due_at,
        run.triggered_at,
        run.device,
        _json(run.context),
        run.reason,
        stored.request_id,
        stored.created_at,
        now,
    )


def _json(value: object) -> str:
    return _encode(value).decode()
