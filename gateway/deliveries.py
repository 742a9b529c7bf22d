"""Deliveries over HTTP: every message that was planned, and what became of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.status import WAITING, DeliveryState
from angarium.core.store import outcomes, reading
from angarium.core.store.outcomes import Filters, FullDelivery, StoredDelivery
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.delivery_bodies import DeliveryBody, FullDeliveryBody, full, listed
from angarium.gateway.idempotency import IdempotencyKey, once
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import (
    USUAL,
    Cursor,
    Limit,
    Page,
    check_choice,
    make_cursor,
    read_cursor,
)
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id, segment
from angarium.gateway.problems import Problem, Refusal
from angarium.gateway.profiles import NOT_FOUND, find_by_id, find_person
from angarium.gateway.publishing import publish

ID_SEGMENT: Final = 2  # of /v1/deliveries/{id}
LIST: Final = "deliveries"
READ: Final = requires("deliveries:read")
WRITE: Final = requires("deliveries:write")
LISTED: Final = {200: told(Page[DeliveryBody], examples.page(examples.DELIVERY))}
ABSENT: Final = {404: refused("No delivery has this id.")}

STATES: Final = (*(state.value for state in DeliveryState), "waiting")
StateFilter = Annotated[
    str | None,
    QueryParameter(
        name="state",
        description="One of " + ", ".join(STATES) + "; waiting is all of the first four.",
    ),
]


class ReleaseBody(msgspec.Struct, forbid_unknown_fields=True):
    """What an operator decides on a delivery in doubt: send it again, or take it for settled."""

    as_: Literal["resend", "accepted", "failed"] = msgspec.field(name="as")


class ReleasedBody(msgspec.Struct):
    """It was taken; the core applies it within moments."""

    delivery: str
    as_: str = msgspec.field(name="as")


@get(
    "/v1/deliveries",
    guards=[READ],
    responses=LISTED,
    summary="List deliveries, planned last first",
    description="Scope: deliveries:read. `profile` is a userId or `anonymous:<anonymousId>`.",
    tags=["deliveries"],
)
async def list_deliveries(
    parts: Parts,
    caller: Caller,
    *,
    campaign: FromQuery[str | None] = None,
    status: StateFilter = None,
    channel: FromQuery[str | None] = None,
    reason: FromQuery[str | None] = None,
    profile: FromQuery[str | None] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[DeliveryBody]:
    async with parts.store.reading() as tx:
        person = await find_by_id(tx, caller.workspace, profile) if profile else None
        filters = Filters(campaign, channel, reason, _states(status), person.id if person else None)
        names = (LIST, campaign, status, channel, reason, filters.profile_id)
        before = read_cursor(cursor, tuple[int, str], reading.START, *names)
        found = await outcomes.list_deliveries(tx, caller.workspace, filters, before, limit + 1)
    return _page(found, limit, names)


@get(
    "/v1/profiles/{user_id:str}/deliveries",
    guards=[READ],
    responses={**LISTED, **NOT_FOUND},
    summary="What was planned for a person, last first",
    description="Scope: deliveries:read.",
    tags=["people"],
)
async def list_deliveries_of_person(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    user_id: Id,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[DeliveryBody]:
    async with parts.store.reading() as tx:
        person = await find_person(tx, caller, request)
        names = (LIST, None, None, None, None, person.id)
        before = read_cursor(cursor, tuple[int, str], reading.START, *names)
        filters = Filters(profile_id=person.id)
        found = await outcomes.list_deliveries(tx, caller.workspace, filters, before, limit + 1)
    return _page(found, limit, names)


@get(
    "/v1/deliveries/{delivery_id:str}",
    guards=[READ],
    responses={200: told(FullDeliveryBody, examples.FULL_DELIVERY), **ABSENT},
    summary="All of one delivery",
    description="Scope: deliveries:read.",
    tags=["deliveries"],
)
async def get_delivery(
    parts: Parts, caller: Caller, request: Request[Any, Any, Any], delivery_id: Id
) -> FullDeliveryBody:
    return full(await find_delivery(parts, caller, request))


@post(
    "/v1/deliveries/{delivery_id:str}/release",
    guards=[WRITE],
    status_code=202,
    responses={
        202: told(ReleasedBody, {"delivery": examples.DELIVERY_ID, "as": "resend"}),
        409: refused("It is not in doubt."),
        **ABSENT,
    },
    summary="Settle a delivery that is in doubt",
    description=(
        "Scope: deliveries:write. Of a delivery `in_doubt` nobody can know whether it was sent. "
        "`resend` plans it again, and all gates judge it anew; `accepted` and `failed` settle it."
    ),
    tags=["deliveries"],
)
async def release_delivery(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    delivery_id: Id,
    data: JSONBody[ReleaseBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(_: str) -> ReleasedBody:
        found = await find_delivery(parts, caller, request)
        if found.listed.state != DeliveryState.IN_DOUBT:
            raise Refusal(Problem.CONFLICT, f"it is {found.listed.state}, not in_doubt")
        id_ = found.listed.id
        body = {
            "delivery": id_,
            "kind": "operator",
            "status": data.as_,
            "at": parts.now(),
            # One release of one doubt: a second click changes nothing.
            "id": make_id("fbk_", id_, "operator", str(found.generation), data.as_),
        }
        await publish(parts.bus, feedback_subject(caller.workspace), body)
        return ReleasedBody(id_, data.as_)

    return await once(parts, caller, request, work, status=202)


async def find_delivery(
    parts: Parts, caller: Caller, request: Request[Any, Any, Any]
) -> FullDelivery:
    """The delivery that the path names. Raises Refusal."""
    id_ = segment(request.scope, ID_SEGMENT)
    async with parts.store.reading() as tx:
        found = await outcomes.find_delivery(tx, caller.workspace, id_)
    if found is None:
        raise Refusal(Problem.NOT_FOUND, "no delivery has this id")
    return found


def _states(state: str | None) -> tuple[str, ...] | None:
    if state is None:
        return None
    check_choice("state", state, STATES)
    return tuple(s.value for s in WAITING) if state == "waiting" else (state,)


def _page(
    found: list[StoredDelivery], limit: int, names: Sequence[str | None]
) -> Page[DeliveryBody]:
    shown = found[:limit]
    cursor = None
    if len(found) > limit:
        cursor = make_cursor((shown[-1].planned_at, shown[-1].id), *names)
    return Page([listed(delivery) for delivery in shown], cursor)
