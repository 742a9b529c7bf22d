"""Requests that create something may be sent twice: `Idempotency-Key` makes the second harmless.

The same key with the same request gets the first one's answer again, for a day at least; with
another request it is refused (422); while the first is at work, 409. A request that was refused
leaves its key free. Keys of different credentials never meet.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Annotated, Any, Final
from uuid import uuid4

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter

from angarium.core.store import idempotency
from angarium.core.store.errors import StoreError
from angarium.core.store.idempotency import Kept, Name
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal

KEY_LETTERS: Final = 255
HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name=HEADER,
        description="Any text of 1 to 255 visible ASCII letters, new for each new request.",
    ),
]

AnyRequest = Request[Any, Any, Any]
Work = Callable[[str], Awaitable[Any]]
"""Does it and gives the answer's body. Its argument is the seed for ids: the same for the same
key, so that a request which died half-way and is repeated makes the same thing, not a second."""


async def once(
    parts: Parts, caller: Caller, request: AnyRequest, work: Work, status: int = 201
) -> Response[bytes]:
    """The answer of `work`, done once for each Idempotency-Key; without a key, done."""
    key = request.headers.get(HEADER)
    if key is None:
        return _answer(msgspec.json.encode(await work(uuid4().hex)), status)
    name = Name(caller.workspace, caller.key, _checked(key))
    fingerprint = await _fingerprint(request)
    kept = await _begin(parts, name, fingerprint)
    if kept is not None:
        return _answer(kept[1].encode(), kept[0], {REPLAYED: "true"})
    try:
        body = msgspec.json.encode(await work(f"{caller.key}:{key}:{fingerprint}"))
        await _finish(parts, name, status, body.decode())
    except Exception:
        with suppress(StoreError):  # else the next request takes over in a minute
            await _forget(parts, name)
        raise
    return _answer(body, status)


async def _begin(parts: Parts, name: Name, fingerprint: str) -> tuple[int, str] | None:
    async def work(tx: Transaction) -> Kept | None:
        return await idempotency.begin(tx, name, fingerprint, parts.now())

    kept = await transact(parts.store, work)
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise Refusal(Problem.KEY_REUSED)
    if kept.status is None or kept.body is None:
        raise Refusal(Problem.KEY_IN_USE, headers={"Retry-After": "1"})
    return kept.status, kept.body


async def _finish(parts: Parts, name: Name, status: int, body: str) -> None:
    async def work(tx: Transaction) -> None:
        await idempotency.finish(tx, name, status, body)

    await transact(parts.store, work)


async def _forget(parts: Parts, name: Name) -> None:
    async def work(tx: Transaction) -> None:
        await idempotency.forget(tx, name)

    await transact(parts.store, work)


async def _fingerprint(request: AnyRequest) -> str:
    parts = (request.method.encode(), request.scope["raw_path"], await request.body())
    return blake2b(b"\n".join(parts), digest_size=16).hexdigest()


def _checked(key: str) -> str:
    if 1 <= len(key) <= KEY_LETTERS and key.isascii() and key.isprintable():
        return key
    raise Refusal(
        Problem.INVALID,
        f"{HEADER} is not usable",
        errors=[(HEADER, f"use 1 to {KEY_LETTERS} visible ASCII letters")],
    )


def _answer(body: bytes, status: int, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(body, status_code=status, media_type="application/json", headers=headers)
