"""Decisions over HTTP: "this person should get this campaign", from any service."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import Meta

from angarium.config.limits import USER_ID_LENGTH
from angarium.core.bus.subjects import decisions_subject
from angarium.core.campaigns.decision import Decision
from angarium.core.delivery.keys import make_id
from angarium.core.events.message import MessageRefused, read_id
from angarium.core.store.campaigns import find_campaign
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.idempotency import IdempotencyKey, once
from angarium.gateway.instants import read_instant
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal
from angarium.gateway.publishing import publish
from angarium.gateway.request_ids import request_id_of

ID_LETTERS: Final = 200


class DecisionBody(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Who should get what. `decisionId` is the caller's own: the same one twice sends once.

    `data` is for templates. Nothing is sent before `notBefore` or from `expires` on.
    """

    decision_id: Annotated[str, Meta(min_length=1, max_length=ID_LETTERS)]
    campaign: Annotated[str, Meta(min_length=1, max_length=100)]
    user_id: Annotated[str, Meta(min_length=1, max_length=100)]
    channel: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    data: dict[str, Any] | None = None
    not_before: str | None = None
    expires: str | None = None


NewDecision = Annotated[
    DecisionBody, BodyKwarg(examples=[Example(summary="For example", value=examples.DECISION)])
]


class DecidedBody(msgspec.Struct):
    """The delivery that comes of it: GET /v1/deliveries/{delivery} tells what became of it."""

    delivery: str


@post(
    "/v1/decisions",
    guards=[requires("decisions:write")],
    status_code=200,
    responses={
        200: told(DecidedBody, {"delivery": examples.DELIVERY_ID}),
        404: refused("No campaign has this id."),
        503: refused("It could not be made durable; repeat it."),
    },
    summary="Decide that a person should get a campaign",
    description=(
        "Scope: decisions:write. It passes the same gates as everything else; a 200 means that it "
        "is on the stream, not that it was sent."
    ),
    tags=["campaigns"],
)
async def decide(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    data: NewDecision,
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(_: str) -> DecidedBody:
        _check_times(data)
        async with parts.store.reading() as tx:
            campaign = await find_campaign(tx, caller.workspace, data.campaign)
        if campaign is None:
            raise Refusal(
                Problem.NOT_FOUND, "no campaign has this id", errors=[("/campaign", "unknown")]
            )
        _check_person(data)
        if data.channel is not None and data.channel not in campaign.body["content"]:
            fault = "the campaign says nothing on this channel"
            raise Refusal(Problem.INVALID, errors=[("/channel", fault)])
        decision = Decision(**msgspec.structs.asdict(data), request_id=request_id_of(request.scope))
        await publish(parts.bus, decisions_subject(caller.workspace), decision)
        return DecidedBody(delivery_of(caller.workspace, data.decision_id))

    return await once(parts, caller, request, work, status=200)


def delivery_of(workspace: str, decision_id: str) -> str:
    """The id of the delivery that a decision leads to."""
    return make_id("dlv_", workspace, "decision", decision_id)


def _check_person(data: DecisionBody) -> None:
    try:
        named = read_id(data.user_id, "userId", USER_ID_LENGTH)
    except MessageRefused as refused:
        raise Refusal(Problem.INVALID, errors=[("/userId", refused.reason)]) from refused
    if named is None:
        raise Refusal(Problem.INVALID, errors=[("/userId", "it names nobody")])


def _check_times(data: DecisionBody) -> None:
    not_before = read_instant(data.not_before, "/notBefore")
    expires = read_instant(data.expires, "/expires")
    if not_before is not None and expires is not None and expires <= not_before:
        raise Refusal(Problem.INVALID, errors=[("/expires", "it must lie after notBefore")])
