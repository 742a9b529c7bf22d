"""What providers tell us later: `/callbacks/{provider}` hands it to that provider's plugin."""

import asyncio
from math import ceil
from typing import Any, Final

import structlog
from litestar import Request, Response, route
from litestar.enums import HttpMethod
from litestar.params import FromPath

from angarium.config.limits import CALLBACK_BYTES
from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import feedback_of
from angarium.gateway.answers import refused
from angarium.gateway.isolation.callbacks import read_callback
from angarium.gateway.isolation.keeper import Resting
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal, retry_after
from angarium.gateway.publishing import AGAIN_SECONDS, publish
from angarium.plugins.callback import CallbackRequest
from angarium.plugins.provider import Provider
from angarium.plugins.settings import SettingsInvalid

log = structlog.get_logger()

NOT_KEPT: Final = {"Cache-Control": "no-store"}
"""What stands between must ask us again: the same address may be news."""


@route(
    "/callbacks/{provider:str}",
    http_method=[HttpMethod.GET, HttpMethod.POST],
    status_code=200,
    request_max_body_size=CALLBACK_BYTES,
    security=[{}],
    responses={
        401: refused("It is not signed by the provider."),
        404: refused("No such provider is configured."),
    },
    summary="For providers: what became of messages",
    description=(
        "The provider's plugin verifies and reads it. Repeated ones have no second effect. Some"
        " gateways put everything into the address of a GET: then the plugin finds its proof there."
    ),
    tags=["public"],
)
async def take_callback(
    parts: Parts, request: Request[Any, Any, Any], provider: FromPath[str]
) -> Response[bytes]:
    plugin = await _plugin(parts, provider)
    call = await _call(parts, request)
    try:
        updates = await read_callback(plugin, call)
    except PermissionError as error:
        log.info("callback_refused", provider=provider, reason="it is not signed as it should be")
        raise Refusal(Problem.NOT_AUTHENTICATED, "the signature is not valid") from error
    except ValueError as error:
        log.info("callback_refused", provider=provider, reason="it cannot be read")
        raise Refusal(Problem.UNREADABLE_BODY, "the callback cannot be read") from error
    except Resting as error:
        detail = "the plugin that reads them does not work now; send it again later"
        wait = retry_after(max(AGAIN_SECONDS, ceil(error.seconds)))
        raise Refusal(Problem.UNAVAILABLE, detail, headers=wait) from error
    for update in updates:
        body = feedback_of(provider, plugin.channel, update, call.at)
        await publish(parts.bus, feedback_subject(parts.workspace), body)
    log.info("callback_taken", provider=provider, updates=len(updates))
    return Response(b"", media_type="text/plain", headers=NOT_KEPT)


async def _plugin(parts: Parts, name: str) -> Provider:
    """The provider, built once of its settings; only configured ones take callbacks."""
    if name in parts.callbacks:
        return parts.callbacks[name]
    section = parts.settings.channels.get(name)
    if section is None:
        raise Refusal(Problem.NOT_FOUND, "no provider of this name is configured")
    try:
        built = await asyncio.to_thread(parts.plugins.create_provider, name, section)
    except SettingsInvalid as error:
        raise Refusal(Problem.NOT_FOUND, "this provider cannot be used as configured") from error
    return parts.callbacks.setdefault(name, built)


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
