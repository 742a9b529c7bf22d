"""Why a person did or did not get a campaign: every decision with its gates (N2)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.params import QueryParameter

from angarium.core.delivery.status import DeliveryState, bucket
from angarium.core.store import outcomes
from angarium.core.store.campaigns import find_campaign
from angarium.core.store.outcomes import Judged, OpenRun, Refusal
from angarium.core.store.protocol import Transaction
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Limit
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id
from angarium.gateway.problems import Problem
from angarium.gateway.problems import Refusal as Refused
from angarium.gateway.profiles import NOT_FOUND, READ, find_person

REFUSED: Final = "refused"

Campaign = Annotated[
    str | None, QueryParameter(description="Only this campaign; without it, all of them.")
]


class SourceBody(msgspec.Struct):
    """What decided: a version of a campaign, and the step in it."""

    campaign: str
    version: int
    step: str


class ExplainedDecision(msgspec.Struct, rename="camel", kw_only=True):
    """One decision about one person.

    outcome: `waiting`, `accepted`, `failed`, `skipped`, `cancelled`, `in_doubt` of a delivery or
    run; `refused`: a trigger that began nothing. gates: in their order, each with verdict, reason
    and what it saw. count: how often it was refused for this reason; `at` is the last time.
    """

    at: str
    source: SourceBody
    outcome: str
    reason: str
    gates: Any
    delivery: str | None = None
    state: str | None = None
    channel: str | None = None
    due_at: str | None = None
    run: str | None = None
    count: int | None = None


class ExplainBody(msgspec.Struct):
    """Newest first."""

    decisions: Sequence[ExplainedDecision]


@get(
    "/v1/profiles/{user_id:str}/explain",
    guards=[READ],
    responses={200: told(ExplainBody, examples.EXPLAIN), **NOT_FOUND},
    summary="Why a person did or did not get a campaign",
    description=(
        "Scope: profiles:read. Deliveries with the verdicts of their last judgement, triggers that "
        "began nothing, and runs that wait or were cancelled."
    ),
    tags=["people"],
)
async def explain(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    user_id: Id,
    campaign: Campaign = None,
    limit: Limit = USUAL,
) -> ExplainBody:
    async with parts.store.reading() as tx:
        person = await find_person(tx, caller, request)
        if campaign is not None and await find_campaign(tx, caller.workspace, campaign) is None:
            raise Refused(Problem.NOT_FOUND, "no campaign has this id")
        found = await _decisions(tx, caller.workspace, person.id, campaign, limit)
    return ExplainBody([body for _, body in found[:limit]])


async def _decisions(
    tx: Transaction, workspace: str, profile: str, campaign: str | None, limit: int
) -> list[tuple[int, ExplainedDecision]]:
    judged = await outcomes.list_judged(tx, workspace, profile, campaign, limit)
    refusals = await outcomes.list_refusals(tx, workspace, profile, campaign, limit)
    runs = await outcomes.list_open_runs(tx, workspace, profile, campaign, limit)
    found = [_judged(one) for one in judged]
    found += [_refused(one) for one in refusals]
    found += [_run(one) for one in runs]
    return sorted(found, key=lambda one: one[0], reverse=True)


def _judged(one: Judged) -> tuple[int, ExplainedDecision]:
    at = one.updated_at
    waits = one.state in (DeliveryState.PLANNED, DeliveryState.HELD)
    return at, ExplainedDecision(
        at=instant(at),
        source=SourceBody(one.campaign, one.version, one.step),
        outcome=bucket(DeliveryState(one.state)).value,
        reason=one.reason,
        gates=one.gates,
        delivery=one.id,
        state=one.state,
        channel=one.channel,
        due_at=instant(one.due_at) if waits else None,
    )


def _refused(one: Refusal) -> tuple[int, ExplainedDecision]:
    gate = {"gate": "entry", "verdict": "skip", "reason": one.reason, "saw": one.saw}
    return one.at, ExplainedDecision(
        at=instant(one.at),
        source=SourceBody(one.campaign, one.version, ""),
        outcome=REFUSED,
        reason=one.reason,
        gates=[gate],
        count=one.count,
    )


def _run(one: OpenRun) -> tuple[int, ExplainedDecision]:
    waits = one.state == "waiting"
    return one.updated_at, ExplainedDecision(
        at=instant(one.updated_at),
        source=SourceBody(one.campaign, one.version, one.step),
        outcome=one.state,
        reason=one.reason or ("delay" if waits else ""),
        gates=[],
        due_at=instant(one.due_at) if waits else None,
        run=one.id,
    )
