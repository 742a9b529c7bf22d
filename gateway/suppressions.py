"""Addresses that get nothing, over HTTP."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import FromQuery, JSONBody
from msgspec import Meta

from angarium.core.delivery.addresses import read_address
from angarium.core.people.phone import normalise_mobile
from angarium.core.store import suppressions
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact
from angarium.core.store.suppressions import Suppression
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.idempotency import IdempotencyKey, once
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id, segment
from angarium.gateway.problems import Problem, Refusal

LIST: Final = "suppressions"
CHANNEL_SEGMENT: Final = 2  # of /v1/suppressions/{channel}/{address}
ADDRESS_SEGMENT: Final = 3
OPERATOR: Final = "operator"


class SuppressionBody(msgspec.Struct):
    """An address as it is sent to; reason: bounced, complained, unsubscribed, operator, …"""

    channel: str
    address: str
    reason: str
    at: str


class NewSuppressionBody(msgspec.Struct, forbid_unknown_fields=True):
    """An address that is to get nothing any more."""

    channel: Annotated[str, Meta(examples=["email"])]
    address: Annotated[str, Meta(min_length=1, max_length=4096, examples=["a@example.org"])]
    reason: Annotated[str, Meta(min_length=1, max_length=100)] = OPERATOR


@get(
    "/v1/suppressions",
    guards=[requires("suppressions:read")],
    responses={200: told(Page[SuppressionBody], examples.page(examples.SUPPRESSION))},
    summary="List addresses that get nothing",
    description="Scope: suppressions:read. By channel and address.",
    tags=["deliveries"],
)
async def list_suppressions(
    parts: Parts,
    caller: Caller,
    channel: FromQuery[str | None] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[SuppressionBody]:
    after = read_cursor(cursor, tuple[str, str], ("", ""), LIST, channel)
    async with parts.store.reading() as tx:
        found = await suppressions.list_suppressions(
            tx, caller.workspace, channel, after, limit + 1
        )
    shown = found[:limit]
    more = len(found) > limit
    return Page(
        [_body(row) for row in shown],
        make_cursor(_place(shown[-1]), LIST, channel) if more else None,
    )


@post(
    "/v1/suppressions",
    guards=[requires("suppressions:write")],
    status_code=201,
    responses={201: told(SuppressionBody, examples.SUPPRESSION)},
    summary="Send nothing to an address any more",
    description="Scope: suppressions:write. One that stands there already keeps its reason.",
    tags=["deliveries"],
)
async def add_suppression(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    data: JSONBody[NewSuppressionBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(_: str) -> SuppressionBody:
        address = _normal(parts, data.channel, data.address)
        new = Suppression(data.channel, address, data.reason, parts.now())

        async def save(tx: Transaction) -> Suppression:
            return await suppressions.suppress(tx, caller.workspace, new)

        return _body(await transact(parts.store, save))

    return await once(parts, caller, request, work)


@delete(
    "/v1/suppressions/{channel:str}/{address:str}",
    guards=[requires("suppressions:write")],
    responses={404: refused("It is not suppressed.")},
    summary="Let an address receive again",
    description="Scope: suppressions:write. The address is percent-encoded.",
    tags=["deliveries"],
)
async def remove_suppression(
    parts: Parts, caller: Caller, request: Request[Any, Any, Any], channel: Id, address: Id
) -> None:
    channel = segment(request.scope, CHANNEL_SEGMENT)
    address = _normal(parts, channel, segment(request.scope, ADDRESS_SEGMENT))

    async def work(tx: Transaction) -> bool:
        return await suppressions.release(tx, caller.workspace, channel, address)

    if not await transact(parts.store, work):
        raise Refusal(Problem.NOT_FOUND, "this address is not suppressed")


def _place(last: Suppression) -> tuple[str, str]:
    return last.channel, suppressions.fold_address(last.channel, last.address)


def _normal(parts: Parts, channel: str, address: str) -> str:
    """The address as it is stored and sent to. Refuses with 422."""
    known = parts.plugins.channels.get(channel)
    if known is None:
        names = ", ".join(sorted(parts.plugins.channels))
        raise Refusal(
            Problem.INVALID, "channel is not known", errors=[("/channel", f"use one of: {names}")]
        )
    try:
        return _parse(parts, known, address)
    except ValueError as error:
        detail = f"it cannot be an address of {channel}: {error}"
        raise Refusal(
            Problem.INVALID, "address is not valid", errors=[("/address", detail)]
        ) from error


def _parse(parts: Parts, channel: Any, address: str) -> str:
    if channel.address_kind == "phone":
        number = normalise_mobile(address, parts.settings.people.region)
        if number is None:
            raise ValueError("write a mobile number like +989121234567")
        return number
    return read_address(channel, address)


def _body(row: Suppression) -> SuppressionBody:
    return SuppressionBody(row.channel, row.address, row.reason, instant(row.at))
