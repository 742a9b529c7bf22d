"""What providers tell us later: `/callbacks/{provider}` hands it to that provider's plugin."""

from typing import Any, Final

import structlog
from litestar import Request, Response, post
from litestar.params import FromPath

from angarium.config.limits import CALLBACK_BYTES
from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import STATUS, Feedback
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.status import Reaction
from angarium.gateway.answers import refused
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal
from angarium.gateway.publishing import publish
from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.provider import Provider
from angarium.plugins.settings import SettingsInvalid

log = structlog.get_logger()

REACTIONS: Final = frozenset(reaction.value for reaction in Reaction)


@post(
    "/callbacks/{provider:str}",
    status_code=200,
    request_max_body_size=CALLBACK_BYTES,
    security=[{}],
    responses={
        401: refused("It is not signed by the provider."),
        404: refused("No such provider is configured."),
    },
    summary="For providers: what became of messages",
    description="The provider's plugin verifies and reads it. Repeated ones have no second effect.",
    tags=["public"],
)
async def take_callback(
    parts: Parts, request: Request[Any, Any, Any], provider: FromPath[str]
) -> Response[bytes]:
    plugin = _plugin(parts, provider)
    call = await _call(parts, request)
    try:
        updates = plugin.parse_callback(call)
    except PermissionError as error:
        raise Refusal(Problem.NOT_AUTHENTICATED, "the signature is not valid") from error
    except ValueError as error:
        raise Refusal(Problem.UNREADABLE_BODY, "the callback cannot be read") from error
    for update in updates:
        body = _feedback(plugin, update, call.at)
        await publish(parts.bus, feedback_subject(parts.workspace), body)
    log.info("callback_taken", provider=provider, updates=len(updates))
    return Response(b"", media_type="text/plain")


def _plugin(parts: Parts, name: str) -> Provider:
    """The provider, built of its settings; only those that are configured take callbacks."""
    section = parts.settings.channels.get(name)
    if section is None:
        raise Refusal(Problem.NOT_FOUND, "no provider of this name is configured")
    try:
        return parts.plugins.create_provider(name, section)
    except SettingsInvalid as error:
        raise Refusal(Problem.NOT_FOUND, "this provider cannot be used as configured") from error


async def _call(parts: Parts, request: Request[Any, Any, Any]) -> CallbackRequest:
    body = await request.body()
    path = request.scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    base = parts.settings.http.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return CallbackRequest(
        method=request.method,
        url=f"{base}{path}?{query}" if query else f"{base}{path}",
        query={name: str(value) for name, value in request.query_params.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        at=parts.now(),
    )


def _feedback(plugin: Provider, update: StatusUpdate, now: int) -> Feedback:
    reaction = update.status in REACTIONS
    same = update.id or f"{update.provider_id}/{update.key}/{update.status}/{update.at}"
    return Feedback(
        kind=update.status if reaction else STATUS,
        at=update.at or now,
        id=make_id("fbk_", plugin.name, same),
        delivery=update.key,
        channel=plugin.channel,
        provider=plugin.name,
        provider_id=update.provider_id,
        status="" if reaction else update.status,
        reason=update.reason,
        address=update.address,
        address_dead=update.address_dead,
    )
