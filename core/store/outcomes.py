"""What the API tells of deliveries: the ledger, why each one went as it did, and the figures.

Every function reads one workspace only. Instants are ms, hours are counted from 1970.
"""

from typing import Any

import msgspec

from angarium.core.delivery.status import DeliveryState
from angarium.core.store.protocol import Row, Transaction

ALL_STATES: tuple[str, ...] = tuple(state.value for state in DeliveryState)

_decode_any = msgspec.json.decode


class Filters(msgspec.Struct, frozen=True):
    """Which deliveries to list; None lets all pass, `states` are names of DeliveryState."""

    campaign: str | None = None
    channel: str | None = None
    reason: str | None = None
    states: tuple[str, ...] | None = None
    profile_id: str | None = None


class StoredDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as listed. reactions: by kind, (first time, how often)."""

    id: str
    source: str
    campaign: str
    version: int
    step: str
    run: str | None
    profile_id: str
    user_id: str | None
    channel: str
    class_: str
    promise: str
    test: bool
    state: str
    reason: str
    provider: str
    provider_id: str | None
    due_at: int
    expires_at: int
    attempt: int
    resends: int
    planned_at: int
    updated_at: int
    handed_at: int | None
    accepted_at: int | None
    triggered_at: int | None
    device: str | None
    request_id: str | None
    reactions: dict[str, tuple[int, int]]


class FullDelivery(msgspec.Struct, frozen=True):
    """All of one delivery: beside the listed part, its last judgement and what it was made of."""

    listed: StoredDelivery
    gates: Any
    context: dict[str, Any]
    worker: str | None
    generation: int


class Judged(msgspec.Struct, frozen=True):
    """A delivery with the verdicts of its last judgement."""

    id: str
    campaign: str
    version: int
    step: str
    channel: str
    provider: str
    state: str
    reason: str
    test: bool
    due_at: int
    planned_at: int
    updated_at: int
    gates: Any


class Refusal(msgspec.Struct, frozen=True):
    """Why a trigger did not begin a run: the last time, and how often."""

    campaign: str
    version: int
    reason: str
    at: int
    count: int
    saw: Any


class OpenRun(msgspec.Struct, frozen=True):
    """A run that waits, or was cancelled before anything was planned."""

    id: str
    campaign: str
    version: int
    step: str
    state: str
    reason: str | None
    due_at: int | None
    triggered_at: int
    device: str | None
    context: Any
    updated_at: int


class Dimensions(msgspec.Struct, frozen=True):
    """By which columns to keep figures apart."""

    campaign: bool = False
    step: bool = False
    channel: bool = False
    provider: bool = False
    reason: bool = False
    hour: bool = False


class Figure(msgspec.Struct, frozen=True):
    """A sum of counters; a dimension that was not asked for is '' or 0.

    kind: `state`, `receipt`, `reaction` or `reactions`; name: which one (core/delivery/counts.py).
    """

    campaign: str
    step: str
    channel: str
    provider: str
    reason: str
    hour: int
    kind: str
    name: str
    count: int


async def list_deliveries(
    tx: Transaction, workspace: str, filters: Filters, before: tuple[int, str], limit: int
) -> list[StoredDelivery]:
    """Deliveries by the time of planning, newest first, that come after `before`."""
    query, params = "page_deliveries", {}
    if filters.profile_id is not None:
        query, params = "page_deliveries_of_profile", {"profile": filters.profile_id}
    rows = await tx.fetch(
        query,
        workspace=workspace,
        before_at=before[0],
        before_id=before[1],
        campaign=filters.campaign,
        channel=filters.channel,
        reason=filters.reason,
        any_state=filters.states is None,
        states=list(filters.states or ALL_STATES),
        limit=limit,
        **params,
    )
    return [_delivery(row) for row in rows]


async def find_delivery(tx: Transaction, workspace: str, id_: str) -> FullDelivery | None:
    """One delivery with everything that is known of it."""
    rows = await tx.fetch("read_delivery", workspace=workspace, id=id_)
    if not rows:
        return None
    *listed, gates, context, worker, generation = rows[0]
    return FullDelivery(
        _delivery(listed), _decode_any(gates), _decode_any(context) or {}, worker, generation
    )


async def find_context(tx: Transaction, workspace: str, id_: str) -> dict[str, Any] | None:
    """What a delivery was made of; `links` in it are the targets of its tracked links."""
    rows = await tx.fetch("read_links", workspace=workspace, id=id_)
    return (_decode_any(rows[0][0]) or {}) if rows else None


async def list_judged(
    tx: Transaction, workspace: str, profile_id: str, campaign: str | None, limit: int
) -> list[Judged]:
    """The last deliveries of a person with their verdicts, newest first."""
    rows = await tx.fetch(
        "explain_deliveries",
        workspace=workspace,
        profile=profile_id,
        campaign=campaign,
        limit=limit,
    )
    return [Judged(**_named(Judged, row, flag="test", json="gates")) for row in rows]


async def list_refusals(
    tx: Transaction, workspace: str, profile_id: str, campaign: str | None, limit: int
) -> list[Refusal]:
    """Why triggers began nothing for a person, newest first."""
    rows = await tx.fetch(
        "explain_refusals", workspace=workspace, profile=profile_id, campaign=campaign, limit=limit
    )
    return [Refusal(**_named(Refusal, row, json="saw")) for row in rows]


async def list_open_runs(
    tx: Transaction, workspace: str, profile_id: str, campaign: str | None, limit: int
) -> list[OpenRun]:
    """Runs of a person that no delivery came of, newest first."""
    rows = await tx.fetch(
        "explain_runs", workspace=workspace, profile=profile_id, campaign=campaign, limit=limit
    )
    return [OpenRun(**_named(OpenRun, row, json="context")) for row in rows]


async def sum_counts(
    tx: Transaction,
    workspace: str,
    hours: tuple[int, int],
    campaign: str | None,
    apart: Dimensions,
) -> list[Figure]:
    """Figures of the deliveries planned in the hours from the first to before the second."""
    rows = await tx.fetch(
        "sum_delivery_counts",
        workspace=workspace,
        first_hour=hours[0],
        end_hour=hours[1],
        campaign=campaign,
        by_campaign=apart.campaign,
        by_step=apart.step,
        by_channel=apart.channel,
        by_provider=apart.provider,
        by_reason=apart.reason,
        by_hour=apart.hour,
    )
    return [Figure(*row) for row in rows]


def _delivery(row: Row) -> StoredDelivery:
    return StoredDelivery(**_named(StoredDelivery, row, flag="test", json="reactions"))


def _named(kind: type[msgspec.Struct], row: Row, *, json: str, flag: str = "") -> dict[str, Any]:
    """The columns of a row by the names of `kind`, which has them in the same order."""
    values = dict(zip(kind.__struct_fields__, row, strict=True))
    values[json] = _decode_any(values[json])
    if flag:
        values[flag] = bool(values[flag])
    return values
