"""Answers below Litestar: status, headers and a body in two messages."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from litestar.types import Send

from angarium.gateway.problems import MEDIA_TYPE, Refusal

Headers = Mapping[bytes, bytes]
Pairs = list[tuple[bytes, bytes]]

JSON: Final = (b"content-type", b"application/json")
PROBLEM: Final = (b"content-type", MEDIA_TYPE.encode())


async def send_bytes(send: Send, status: int, headers: Pairs, body: bytes) -> None:
    """Answer with `body` as it is."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    try:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
    except RuntimeError:
        # uvloop raises this, where asyncio is silent, when the client has gone before its answer;
        # the server hears of it at the loop's next turn.
        await asyncio.sleep(0)


async def send_refusal(send: Send, refusal: Refusal, request_id: str, headers: Pairs) -> None:
    """Answer with the problem that `refusal` holds."""
    own = [(name.lower().encode(), text.encode()) for name, text in refusal.headers.items()]
    body = msgspec.json.encode(refusal.body(request_id))
    await send_bytes(send, refusal.problem.status, [PROBLEM, *own, *headers], body)
