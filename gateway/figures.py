"""Figures of deliveries that add up: planned = the sum of the other six, always (N4).

They are sums of counters that move with each delivery's state in one transaction, read in one
snapshot. A counter stands under the hour in which its delivery was planned.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.params import QueryParameter

from angarium.core.delivery.counts import HOUR, totals
from angarium.core.delivery.status import RECEIPTS, Reaction
from angarium.core.store import outcomes
from angarium.core.store.outcomes import Dimensions, Figure
from angarium.core.store.protocol import Transaction
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.auth import requires
from angarium.gateway.instants import instant, read_instant
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal

READ: Final = requires("deliveries:read")
DIMENSIONS: Final = ("campaign", "step", "channel", "provider", "status", "reason", "hour")
FOREVER: Final = (0, 2**40)

Campaign = Annotated[str | None, QueryParameter(description="Only this campaign's deliveries.")]
GroupBy = Annotated[
    str | None,
    QueryParameter(description="Any of " + ", ".join(DIMENSIONS) + "; with commas between."),
]
From = Annotated[
    str | None,
    QueryParameter(name="from", description="Planned at or after this instant, to the hour."),
]
To = Annotated[
    str | None,
    QueryParameter(
        name="to", description="Planned before this instant; a begun hour counts whole."
    ),
]


class FiguresBody(msgspec.Struct):
    """totals: planned, waiting, accepted, failed, skipped, cancelled, in_doubt.

    receipts: what providers said later of the accepted ones. reactions: of how many deliveries
    people did what; reactions_total: how often they did. unknown: what providers said of messages
    that are not known. groups: for each combination of what `group_by` names, the same.
    """

    totals: dict[str, int]
    receipts: dict[str, int]
    reactions: dict[str, int]
    reactions_total: dict[str, int]
    unknown: int
    groups: Sequence[dict[str, Any]] = ()


class Query(msgspec.Struct, frozen=True):
    """What to sum, and what to keep apart."""

    campaign: str | None
    hours: tuple[int, int]
    group_by: tuple[str, ...]


@get(
    "/v1/deliveries/stats",
    guards=[READ],
    responses={200: told(FiguresBody, examples.FIGURES)},
    summary="Figures of deliveries, which always add up",
    description=(
        "Scope: deliveries:read. `planned` is the sum of the other six totals at every instant. "
        "Example: `?campaign=cmp_…&group_by=channel,reason` gives groups like "
        '`{"channel": "email", "reason": "opted_out", "skipped": 15, …}`.'
    ),
    tags=["deliveries"],
)
async def get_delivery_stats(
    parts: Parts,
    caller: Caller,
    campaign: Campaign = None,
    group_by: GroupBy = None,
    from_: From = None,
    to: To = None,
) -> FiguresBody:
    query = read_query(campaign, group_by, from_, to)
    async with parts.store.reading() as tx:
        return await read_figures(tx, caller.workspace, query)


def read_query(
    campaign: str | None, group_by: str | None, from_: str | None, to: str | None
) -> Query:
    """The query that the parameters mean. Refuses with 422."""
    names = tuple(dict.fromkeys(name.strip() for name in (group_by or "").split(",") if name))
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown:
        detail = "use " + ", ".join(DIMENSIONS)
        raise Refusal(Problem.INVALID, "group_by names no dimension", errors=[("group_by", detail)])
    first, end = FOREVER
    if from_ is not None:
        first = read_instant(from_, "from") // HOUR
    if to is not None:
        end = -(-read_instant(to, "to") // HOUR)
    return Query(campaign, (first, end), names)


async def read_figures(tx: Transaction, workspace: str, query: Query) -> FiguresBody:
    """The figures as of this snapshot."""
    apart = Dimensions(**{name: True for name in query.group_by if name != "status"})
    rows = await outcomes.sum_counts(tx, workspace, query.hours, query.campaign, apart)
    body = _sum(rows)
    body.groups = _groups(rows, query.group_by) if query.group_by else ()
    return body


def _sum(rows: Iterable[Figure]) -> FiguresBody:
    rows = list(rows)
    receipts = {state.value: 0 for state in RECEIPTS}
    reactions = {reaction.value: 0 for reaction in Reaction}
    all_reactions = reactions.copy()
    unknown = 0
    for row in rows:
        if row.kind == "receipt":
            receipts[row.name] = receipts.get(row.name, 0) + row.count
        elif row.kind == "reaction":
            reactions[row.name] = reactions.get(row.name, 0) + row.count
        elif row.kind == "reactions":
            all_reactions[row.name] = all_reactions.get(row.name, 0) + row.count
        elif row.kind == "unknown":
            unknown += row.count
    states = [(row.name, row.count) for row in rows if row.kind == "state"]
    return FiguresBody(dict(totals(states)), receipts, reactions, all_reactions, unknown)


def _groups(rows: Sequence[Figure], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """By key; where statuses are kept apart, receipts and reactions stand under none of them."""
    by_status = "status" in names
    groups: dict[tuple[Any, ...], list[Figure]] = {}
    for row in rows:
        if by_status and row.kind != "state":
            continue
        groups.setdefault(tuple(_value(row, name) for name in names), []).append(row)
    return [dict(zip(names, key, strict=True)) | _flat(_sum(groups[key])) for key in sorted(groups)]


def _value(row: Figure, name: str) -> str:
    if name == "status":
        return row.name
    if name == "hour":
        return instant(row.hour * HOUR)
    value: str = getattr(row, name)
    return value


def _flat(body: FiguresBody) -> dict[str, Any]:
    return {
        **body.totals,
        "receipts": body.receipts,
        "reactions": body.reactions,
        "reactions_total": body.reactions_total,
        "unknown": body.unknown,
    }
