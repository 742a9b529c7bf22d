"""Public links in messages: opens, clicks, unsubscribing.

A token names a delivery and is signed; nothing else is believed. Where a click leads stands in the
delivery's own record, never in the address (G13.97-101).
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import structlog
from litestar import Request, Response, post, route
from litestar.enums import HttpMethod
from litestar.params import FromPath

from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import Feedback
from angarium.core.store.errors import StoreError
from angarium.core.store.outcomes import find_context
from angarium.gateway.pages import Language, choose_language, page
from angarium.gateway.parts import Parts
from angarium.gateway.preferences import ask, find_choices, read_choices, save_choices, thank
from angarium.gateway.problems import Refusal
from angarium.gateway.publishing import AGAIN_SECONDS, publish

log = structlog.get_logger()

AnyRequest = Request[Any, Any, Any]

PIXEL: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent dot."""
NO_STORE: Final = {"Cache-Control": "no-store, private", "X-Robots-Tag": "noindex"}
PATIENCE_SECONDS: Final = 1.0
"""How long somebody who clicked waits for their click to be noted."""
READ_METHODS: Final = [HttpMethod.GET, HttpMethod.HEAD]
SCHEMES: Final = frozenset({"http", "https"})

_PREFETCH: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_ROBOT: Final = re.compile(
    r"bot\b|crawl|spider|slurp|facebookexternalhit|preview|barracuda|proofpoint|mimecast|safelinks",
    re.IGNORECASE,
)


@route("/o/{name:str}", http_method=READ_METHODS, include_in_schema=False)
async def open_pixel(parts: Parts, request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """The dot that tells that a mail's images were loaded."""
    delivery = _delivery(parts, name.removesuffix(".gif"), "open")
    if delivery is None:
        return page(_language(parts, request), "unknown", 404)
    if _is_person(request):
        await _note(parts, delivery, "opened", None)
    return Response(PIXEL, media_type="image/gif", headers=NO_STORE)


@route("/c/{token:str}", http_method=READ_METHODS, include_in_schema=False)
async def follow_click(parts: Parts, request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """On to where a link in a message leads."""
    language = _language(parts, request)
    target = parts.links.read(token)
    if target is None or target.kind != "click":
        return page(language, "unknown", 404)
    try:
        location = await _location(parts, target.delivery, target.index)
    except StoreError:
        return page(language, "later", 503, AGAIN_SECONDS)
    if location is None:
        return page(language, "unknown", 404)
    if _is_person(request):
        await _note(parts, target.delivery, "clicked", target.index)
    headers = {**NO_STORE, "Location": location, "Referrer-Policy": "no-referrer"}
    return Response(b"", status_code=302, media_type="text/plain", headers=headers)


@route("/u/{token:str}", http_method=READ_METHODS, include_in_schema=False)
async def ask_unsubscribe(
    parts: Parts, request: AnyRequest, token: FromPath[str]
) -> Response[bytes]:
    """What the person may choose. It changes nothing: scanners follow every link."""
    language = _language(parts, request)
    delivery = _delivery(parts, token, "unsubscribe")
    if delivery is None:
        return page(language, "unknown", 404)
    choices = await find_choices(parts, delivery)
    return ask(language, choices) if choices else page(language, "unsubscribe")


@post("/u/{token:str}", status_code=200, include_in_schema=False)
async def unsubscribe(parts: Parts, request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """Save what was chosen; without choices, withdraw from the channel (RFC 8058)."""
    language = _language(parts, request)
    delivery = _delivery(parts, token, "unsubscribe")
    if delivery is None:
        return page(language, "unknown", 404)
    chosen = read_choices(request.headers.get("content-type", ""), await request.body())
    try:
        if chosen is not None:
            saved = await save_choices(parts, delivery, chosen)
            return thank(language, saved) if saved else page(language, "unknown", 404)
        await _publish(parts, delivery, "unsubscribed", None)
    except (Refusal, StoreError):
        return page(language, "later", 503, AGAIN_SECONDS)
    return page(language, "unsubscribed")


def _delivery(parts: Parts, token: str, kind: str) -> str | None:
    target = parts.links.read(token)
    return target.delivery if target is not None and target.kind == kind else None


async def _location(parts: Parts, delivery: str, index: int) -> str | None:
    """The target of a delivery's link, as a header may hold it."""
    async with parts.store.reading() as tx:
        context = await find_context(tx, parts.workspace, delivery)
    targets: list[str] = (context or {}).get("links") or []
    if not 0 <= index < len(targets):
        return None
    target = targets[index]
    if urlsplit(target).scheme.lower() not in SCHEMES:
        return None
    return quote(target, safe="%/:?#[]@!$&'()*+,;=~")


async def _note(parts: Parts, delivery: str, kind: str, link: int | None) -> None:
    """Whoever opens or clicks is served even when it cannot be counted."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await _publish(parts, delivery, kind, link)
    except (Refusal, TimeoutError):
        log.warning("reaction_lost", delivery=delivery, kind=kind)


async def _publish(parts: Parts, delivery: str, kind: str, link: int | None) -> None:
    body = Feedback(kind, parts.now(), id=uuid4().hex, delivery=delivery, link=link)
    await publish(parts.bus, feedback_subject(parts.workspace), body)


def _is_person(request: AnyRequest) -> bool:
    """Not a browser that fetches ahead, a link scanner, or a robot that says so."""
    headers: Mapping[str, str] = request.headers
    ahead = any("pre" in headers.get(name, "").lower() for name in _PREFETCH)
    robot = _ROBOT.search(headers.get("user-agent", "")) is not None
    return request.method == "GET" and not ahead and not robot


def _language(parts: Parts, request: AnyRequest) -> Language:
    usual: Language = "fa" if parts.settings.people.region == "IR" else "en"
    return choose_language(request.headers.get("accept-language", ""), usual)
