"""Web push without a delivery worker around it, in a process of its own. Run as a script.

One line of JSON in: `way` (a name in WAYS), `origin` of the sink, `count`; one line out: `seconds`.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import aiohttp
import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02  # pyright: ignore[reportMissingTypeStubs] - it has none
from pywebpush import webpush_async  # pyright: ignore[reportMissingTypeStubs] - it has none

from angarium.channels._web_push_address import read_subscription
from angarium.channels._web_push_crypto import (
    CURVE,
    Vapid,
    encode,
    encrypt,
    make_private_key,
    write_point,
)
from angarium.channels.web_push_vapid import WebPushVapid, WebPushVapidSettings
from angarium.plugins import Message, PushContent
from angarium.plugins.settings import Secret

CONTACT = "mailto:ops@example.org"
AT = 1_800_000_000_000
AT_ONCE = 64
CONNECTIONS = 32
CONTENT = PushContent(
    title="Name1, sku-1",
    body="People in Tehran like it for 10.",
    link=f"https://shop.example.org/c/{'x' * 90}",
)


def subscription(origin: str) -> str:
    """What a browser gives: an endpoint and keys of its own."""
    point = write_point(ec.generate_private_key(CURVE).public_key())
    keys = {"p256dh": encode(point), "auth": encode(os.urandom(16))}
    return json.dumps({"endpoint": f"{origin}/push/{encode(os.urandom(30))}", "keys": keys})


async def encrypt_only(origin: str, subscriptions: list[str]) -> float:
    """Encrypt and sign, with all keys read: what nobody can do without."""
    vapid, payload = Vapid(make_private_key(), CONTACT), msgspec.json.encode(CONTENT)
    ready = [read_subscription(one) for one in subscriptions]
    began = time.perf_counter()
    for one in ready:
        encrypt(payload, one.receiver, one.auth)
        vapid.header(origin, AT)
    return time.perf_counter() - began


async def by_provider(origin: str, subscriptions: list[str]) -> float:
    """Our provider alone."""
    provider = WebPushVapid(
        WebPushVapidSettings(
            contact=CONTACT, private_key=Secret(make_private_key()), push_services=origin
        )
    )
    messages = (
        Message(key=f"dlv_{number}", address=one, content=CONTENT, at=AT)
        for number, one in enumerate(subscriptions)
    )
    await provider.open()
    try:
        return await _timed(provider.send, messages)
    finally:
        await provider.close()


async def by_pywebpush(origin: str, subscriptions: list[str]) -> float:
    """pywebpush at its best: asynchronous, over connections that stay open, its key read once."""
    vapid, payload = Vapid02(), json.dumps(msgspec.to_builtins(CONTENT))
    vapid.generate_keys()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send(subscription: dict[str, Any]) -> None:
            await webpush_async(
                subscription,
                payload,
                vapid_private_key=vapid,
                vapid_claims={"sub": CONTACT},
                ttl=86_400,
                aiohttp_session=session,
            )

        return await _timed(send, [json.loads(one) for one in subscriptions])


Thing = TypeVar("Thing")


async def _timed(send: Callable[[Thing], Awaitable[object]], things: Iterable[Thing]) -> float:
    """Send all, so many at once as a delivery worker does; seconds."""
    left = iter(things)

    async def send_some() -> None:
        for one in left:
            await send(one)

    began = time.perf_counter()
    await asyncio.gather(*(send_some() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


WAYS: Mapping[str, Callable[[str, list[str]], Awaitable[float]]] = {
    "encrypt": encrypt_only,
    "provider": by_provider,
    "pywebpush": by_pywebpush,
}


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Send `count` messages one way."""
    subscriptions = [subscription(job["origin"]) for _ in range(job["count"])]
    return {"seconds": await WAYS[job["way"]](job["origin"], subscriptions)}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
