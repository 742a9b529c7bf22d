"""Campaign definitions over HTTP: made, read, changed. Versions are immutable."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, patch, post, put
from litestar.params import JSONBody

from angarium.core.campaigns.definition import parse_campaign
from angarium.core.delivery.keys import make_id
from angarium.core.segments.reader import InvalidDefinition
from angarium.core.store import campaigns, reading
from angarium.core.store.campaigns import STATES, StoredCampaign
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact
from angarium.gateway import examples
from angarium.gateway.added_content import faults_in
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.campaign_bodies import (
    CampaignBody,
    CampaignState,
    Definition,
    body_of,
    check_match,
    merge_patch,
    tagged,
    without_unchanged,
)
from angarium.gateway.campaign_codes import check_list, check_use
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

ID_SEGMENT: Final = 2  # of /v1/campaigns/{id}
LIST: Final = "campaigns"
READ: Final = requires("campaigns:read")
WRITE: Final = requires("campaigns:write")
CHANGED: Final = {
    200: told(CampaignBody, examples.CAMPAIGN, "As it is now; `ETag` names this edition."),
    404: refused("No campaign has this id."),
    409: refused("It is archived."),
    412: refused("It was changed since the edition in If-Match."),
}

AnyRequest = Request[Any, Any, Any]
Edit = Callable[[StoredCampaign], Mapping[str, Any]]
"""From a campaign as it is to the definition that it is to have."""


@post(
    "/v1/campaigns",
    guards=[WRITE],
    responses={201: told(CampaignBody, examples.CAMPAIGN)},
    summary="Make a campaign: a draft, version 1",
    description="Scope: campaigns:write. Every fault of the definition is listed, with its place.",
    tags=["campaigns"],
)
async def create_campaign(
    parts: Parts,
    caller: Caller,
    request: AnyRequest,
    data: Definition,
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(seed: str) -> dict[str, Any]:
        definition = checked(parts, data)
        id_ = make_id("cmp_", caller.workspace, seed)

        async def save(tx: Transaction) -> StoredCampaign:
            await check_list(tx, caller.workspace, data.get("codes"))
            name = str(data["name"])
            return await campaigns.create_campaign(
                tx, caller.workspace, id_, name, definition, parts.now()
            )

        return body_of(await transact(parts.store, save))

    return tagged(await once(parts, caller, request, work))


@get(
    "/v1/campaigns",
    guards=[READ],
    responses={200: told(Page[CampaignBody], examples.page(examples.CAMPAIGN))},
    summary="List campaigns, newest first",
    description="Scope: campaigns:read.",
    tags=["campaigns"],
)
async def list_campaigns(
    parts: Parts,
    caller: Caller,
    state_is: CampaignState = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[dict[str, Any]]:
    check_choice("state", state_is, STATES)
    before = read_cursor(cursor, tuple[int, str], reading.START, LIST, state_is)
    async with parts.store.reading() as tx:
        found = await campaigns.list_campaigns(tx, caller.workspace, state_is, before, limit + 1)
    shown = found[:limit]
    place = (shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return Page(
        [body_of(stored) for stored in shown],
        make_cursor(place, LIST, state_is) if place else None,
    )


@get(
    "/v1/campaigns/{campaign_id:str}",
    guards=[READ],
    responses={200: CHANGED[200], 404: CHANGED[404]},
    summary="One campaign with its present definition",
    description="Scope: campaigns:read.",
    tags=["campaigns"],
)
async def get_campaign(
    parts: Parts, caller: Caller, request: AnyRequest, campaign_id: Id
) -> Response[bytes]:
    async with parts.store.reading() as tx:
        stored = await campaigns.find_campaign(tx, caller.workspace, id_in(request))
    return answer(found_or_404(stored))


@put(
    "/v1/campaigns/{campaign_id:str}",
    guards=[WRITE],
    responses=CHANGED,
    summary="Replace a campaign's definition by a new version",
    description=(
        "Scope: campaigns:write. Runs that began finish on their version. `If-Match` with the "
        "ETag that was read keeps two editors from overwriting each other."
    ),
    tags=["campaigns"],
)
async def replace_campaign(
    parts: Parts, caller: Caller, request: AnyRequest, campaign_id: Id, data: Definition
) -> Response[bytes]:
    def edit(old: StoredCampaign) -> Mapping[str, Any]:
        return without_unchanged(data, old)

    return await _change(parts, caller, request, edit)


@patch(
    "/v1/campaigns/{campaign_id:str}",
    guards=[WRITE],
    responses=CHANGED,
    summary="Change parts of a campaign's definition, as a new version",
    description="Scope: campaigns:write. A JSON merge patch (RFC 7396): null takes a member away.",
    tags=["campaigns"],
)
async def change_campaign(
    parts: Parts,
    caller: Caller,
    request: AnyRequest,
    campaign_id: Id,
    data: JSONBody[dict[str, Any]],
) -> Response[bytes]:
    def edit(old: StoredCampaign) -> Mapping[str, Any]:
        merged: Mapping[str, Any] = merge_patch(old.body, without_unchanged(data, old))
        return merged

    return await _change(parts, caller, request, edit)


async def lock_for_change(tx: Transaction, caller: Caller, request: AnyRequest) -> StoredCampaign:
    """The campaign of the path, locked. Refuses with 404, or 412 by If-Match."""
    stored = found_or_404(await campaigns.lock_campaign(tx, caller.workspace, id_in(request)))
    check_match(request.headers.get("if-match"), stored)
    return stored


def found_or_404(stored: StoredCampaign | None) -> StoredCampaign:
    """Refuses where there is none in this workspace."""
    if stored is None:
        raise Refusal(Problem.NOT_FOUND, "no campaign has this id")
    return stored


def id_in(request: AnyRequest) -> str:
    """The campaign's id in the path."""
    return segment(request.scope, ID_SEGMENT)


def checked(parts: Parts, definition: Mapping[str, Any]) -> str:
    """The definition as it is stored. Refuses with 422, every fault with its JSON pointer."""
    # Imported by the first campaign, so that the doors open sooner: it brings all of Liquid.
    from angarium.core.delivery.templates import check_template

    channels = parts.plugins.channels
    check = partial(check_template, filters=parts.plugins.filters)
    try:
        parsed = parse_campaign(definition, channels=sorted(channels), check_template=check)
    except InvalidDefinition as invalid:
        raise Refusal(Problem.INVALID, errors=invalid.errors) from invalid
    faults = list(faults_in(parsed.content.messages, channels, check))
    if faults:
        raise Refusal(Problem.INVALID, errors=faults)
    check_use(parsed)
    return msgspec.json.encode(definition).decode()


def answer(stored: StoredCampaign) -> Response[bytes]:
    """A campaign as it is, with its ETag."""
    content = msgspec.json.encode(body_of(stored))
    return tagged(Response(content, media_type="application/json"))


async def _change(parts: Parts, caller: Caller, request: AnyRequest, edit: Edit) -> Response[bytes]:
    """Make a new version of what `edit` gives, unless that is what stands there."""
    async with parts.store.reading() as tx:
        seen = found_or_404(await campaigns.find_campaign(tx, caller.workspace, id_in(request)))
    new = edit(seen)
    definition = checked(parts, new)  # may take a while: not while others wait to write

    async def save(tx: Transaction) -> StoredCampaign:
        old = await lock_for_change(tx, caller, request)
        if old.version != seen.version:
            raise Refusal(Problem.CONFLICT, "somebody else changed it at this moment")
        if old.state == "archived":
            raise Refusal(Problem.CONFLICT, "an archived campaign cannot be changed")
        if old.body == new:
            return old
        await check_list(tx, caller.workspace, new.get("codes"))
        name = str(new["name"])
        return await campaigns.revise(tx, caller.workspace, old, name, definition, parts.now())

    return answer(await transact(parts.store, save))
