"""What a campaign does, over HTTP: begin, pause, end, be tried; and its figures."""

import unicodedata
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta

from angarium.core.bus.subjects import decisions_subject
from angarium.core.campaigns.decision import Decision
from angarium.core.delivery.codes import SAMPLE
from angarium.core.store import campaigns, reading
from angarium.core.store.campaigns import MOVES, StoredCampaign
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.campaigns import (
    CHANGED,
    READ,
    WRITE,
    answer,
    found_or_404,
    id_in,
    lock_for_change,
)
from angarium.gateway.decisions import delivery_of
from angarium.gateway.figures import FiguresBody, GroupBy, read_figures, read_query
from angarium.gateway.idempotency import IdempotencyKey, once
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id
from angarium.gateway.problems import Problem, Refusal
from angarium.gateway.publishing import publish
from angarium.gateway.testers import find_testers

MOST_NAMED: Final = 20
"""People whom one test names."""

AnyRequest = Request[Any, Any, Any]
UserId = Annotated[str, Meta(min_length=1, max_length=100)]


class SendTestBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to get it, by userId; without `to` everybody who is marked as a tester."""

    to: Annotated[list[UserId], Meta(min_length=1, max_length=MOST_NAMED)] | None = None


class SentTestBody(msgspec.Struct, rename="camel"):
    """A test on its way: GET /v1/deliveries/{delivery} tells what became of it."""

    user_id: str
    delivery: str


class SentTestsBody(msgspec.Struct):
    """One for each person."""

    data: list[SentTestBody]


class CampaignFiguresBody(FiguresBody):
    """Figures of its deliveries, and of its runs.

    enrolled: runs begun. waiting: runs that wait now. cancelled_by_stop: ended by the stop event.
    """

    enrolled: int = 0
    waiting: int = 0
    cancelled_by_stop: int = 0


@post(
    "/v1/campaigns/{campaign_id:str}/activate",
    guards=[WRITE],
    status_code=200,
    responses=CHANGED,
    summary="Let it begin",
    description="Scope: campaigns:write. A second time changes nothing.",
    tags=["campaigns"],
)
async def activate_campaign(
    parts: Parts, caller: Caller, request: AnyRequest, campaign_id: Id
) -> Response[bytes]:
    return await _move(parts, caller, request, "active")


@post(
    "/v1/campaigns/{campaign_id:str}/pause",
    guards=[WRITE],
    status_code=200,
    responses=CHANGED,
    summary="Begin nothing and send nothing until it is activated again",
    description="Scope: campaigns:write. A second time changes nothing.",
    tags=["campaigns"],
)
async def pause_campaign(
    parts: Parts, caller: Caller, request: AnyRequest, campaign_id: Id
) -> Response[bytes]:
    return await _move(parts, caller, request, "paused")


@post(
    "/v1/campaigns/{campaign_id:str}/archive",
    guards=[WRITE],
    status_code=200,
    responses=CHANGED,
    summary="End it for good",
    description="Scope: campaigns:write. A second time changes nothing.",
    tags=["campaigns"],
)
async def archive_campaign(
    parts: Parts, caller: Caller, request: AnyRequest, campaign_id: Id
) -> Response[bytes]:
    return await _move(parts, caller, request, "archived")


@post(
    "/v1/campaigns/{campaign_id:str}/test",
    guards=[WRITE],
    status_code=200,
    responses={
        200: told(SentTestsBody, {"data": [{"userId": "u1", "delivery": examples.DELIVERY_ID}]}),
        404: CHANGED[404],
    },
    summary="Send it to a few people as a test",
    description=(
        f"Scope: campaigns:write. To up to {MOST_NAMED} people named in `to`, or to all testers "
        "(PUT /v1/testers/{userId}). The same gates apply: who opted out gets nothing. A promo "
        f"code is shown as {SAMPLE}; none is taken from the list."
    ),
    tags=["campaigns"],
)
async def send_test(
    parts: Parts,
    caller: Caller,
    request: AnyRequest,
    campaign_id: Id,
    data: JSONBody[SendTestBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(seed: str) -> SentTestsBody:
        id_ = id_in(request)
        people = await _find_people(parts, caller, id_, data.to)
        sent: list[SentTestBody] = []
        for user_id in people:
            decision_id = f"test:{seed}:{user_id}"
            decision = Decision(decision_id=decision_id, campaign=id_, user_id=user_id, test=True)
            await publish(parts.bus, decisions_subject(caller.workspace), decision)
            sent.append(SentTestBody(user_id, delivery_of(caller.workspace, decision_id)))
        return SentTestsBody(sent)

    return await once(parts, caller, request, work, status=200)


@get(
    "/v1/campaigns/{campaign_id:str}/stats",
    guards=[READ],
    responses={
        200: told(CampaignFiguresBody, examples.CAMPAIGN_FIGURES),
        404: CHANGED[404],
    },
    summary="Figures of a campaign",
    description="Scope: campaigns:read. Deliveries as in /v1/deliveries/stats, and its runs.",
    tags=["campaigns"],
)
async def get_campaign_stats(
    parts: Parts,
    caller: Caller,
    request: AnyRequest,
    campaign_id: Id,
    group_by: GroupBy = None,
) -> CampaignFiguresBody:
    id_ = id_in(request)
    query = read_query(id_, group_by, None, None)
    async with parts.store.reading() as tx:
        found_or_404(await campaigns.find_campaign(tx, caller.workspace, id_))
        figures = await read_figures(tx, caller.workspace, query)
        runs = await campaigns.campaign_totals(tx, caller.workspace, id_)
    return CampaignFiguresBody(
        totals=figures.totals,
        receipts=figures.receipts,
        reactions=figures.reactions,
        reactions_total=figures.reactions_total,
        unknown=figures.unknown,
        groups=figures.groups,
        enrolled=runs.get("enrolled", 0),
        waiting=runs.get("waiting", 0),
        cancelled_by_stop=runs.get("cancelled_by_stop", 0),
    )


async def _move(parts: Parts, caller: Caller, request: AnyRequest, state: str) -> Response[bytes]:
    async def work(tx: Transaction) -> StoredCampaign:
        old = await lock_for_change(tx, caller, request)
        if state != old.state and state not in MOVES[old.state]:
            raise Refusal(Problem.CONFLICT, f"from {old.state} it cannot become {state}")
        return await campaigns.move(tx, caller.workspace, old, state, parts.now())

    return answer(await transact(parts.store, work))


async def _find_people(
    parts: Parts, caller: Caller, id_: str, named: list[str] | None
) -> list[str]:
    """Those who are named, each once, or all testers. Refuses where somebody is not there."""
    async with parts.store.reading() as tx:
        found_or_404(await campaigns.find_campaign(tx, caller.workspace, id_))
        if named is None:
            return await find_testers(tx, caller.workspace)
        ids = [unicodedata.normalize("NFC", user_id) for user_id in named]
        errors = [
            (f"/to/{index}", "nobody has this userId")
            for index, user_id in enumerate(ids)
            if await reading.find_profile(tx, caller.workspace, "user", user_id) is None
        ]
    if errors:
        raise Refusal(Problem.INVALID, errors=errors)
    return list(dict.fromkeys(ids))
