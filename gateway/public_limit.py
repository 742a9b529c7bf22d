"""How often one network may call what needs no key: links in messages, the key for browsers, and
callbacks.

A provider tells of a thousand messages at once, so of callbacks only those that were refused
count: nobody can try signatures for long.
"""

from ipaddress import IPv6Address
from typing import Any, Final

from litestar.types import ASGIApp, Receive, Send

from angarium.gateway.limits import Allowances
from angarium.gateway.parts import AllParts
from angarium.gateway.problems import Refusal
from angarium.gateway.request_ids import request_id_of
from angarium.gateway.web_push import PATH as WEB_PUSH_KEY
from angarium.gateway.wire import send_refusal

CALLBACKS: Final = "/callbacks/"
PATHS: Final = ("/c/", "/o/", "/u/", WEB_PUSH_KEY, CALLBACKS)
PREFIX_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin so."""


def limit_public(parts: AllParts, rest: ASGIApp) -> ASGIApp:
    """`rest`, to which no network gets too often by the paths that need no key."""
    per_second = parts.settings.limits.public_per_second
    detail = f"one network address may come {per_second} times a second"
    allowances = Allowances(per_second, parts.now, detail)

    async def handle(scope: Any, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        template = next((one for one in PATHS if path.startswith(one)), "")
        if not template:
            await rest(scope, receive, send)
            return
        network = network_of(scope)
        try:
            allowances.check(network)
        except Refusal as refusal:
            scope["path_template"] = template
            await send_refusal(send, refusal, request_id_of(scope), [])
            return
        if template == CALLBACKS:
            await rest(scope, receive, _counting_refusals(send, allowances, network))
        else:
            allowances.spend(network, 1)
            await rest(scope, receive, send)

    return handle


def network_of(scope: Any) -> str:
    """The address that a request came from, or of IPv6 its network; "" where it is not known."""
    host = str((scope.get("client") or ("",))[0])
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    return str(address.ipv4_mapped or int(address) >> 128 - PREFIX_BITS)


def _counting_refusals(send: Send, allowances: Allowances, network: str) -> Send:
    async def counted(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            allowances.spend(network, 1)
        await send(message)

    return counted
