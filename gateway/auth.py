"""Who is calling, and may they: keys in headers, and the guard of the admin routes."""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from angarium.core.store.keys import SCOPES
from angarium.gateway.keyring import Holder
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="angarium"'}
CALLER: Final = "angarium_caller"

Headers = Mapping[bytes, bytes]
Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def bearer_key(headers: Headers) -> str:
    """The key of `Authorization: Bearer <key>`; "" if there is none."""
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    return _text(credentials.strip()) if scheme.lower() == b"bearer" else ""


def write_key(headers: Headers) -> str:
    """The key of an ingest request: Basic user name, X-Write-Key, Bearer, in this order; or "".

    What stands behind a colon, the password, is not looked at: SDKs leave it empty or, as Jitsu's
    does, make one up. A query string is never looked at: it ends up in logs.
    """
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic" and (user := _basic_user(credentials.strip())):
        return user
    key = headers.get(b"x-write-key", b"").partition(b":")[0]
    return _text(key.strip()) or bearer_key(headers)


def _basic_user(credentials: bytes) -> str:
    try:
        decoded = b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _text(decoded.partition(b":")[0])


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def not_authenticated() -> Refusal:
    """The one refusal of a missing, malformed, unknown, expired or revoked key."""
    return Refusal(Problem.NOT_AUTHENTICATED, headers=CHALLENGE)


def requires(scope: str) -> Guard:
    """A guard that lets in admin keys with `scope`, such as "profiles:read". Else 401 or 403.

    A write key never passes, whatever its scopes: it stands in web pages.
    """
    if scope not in SCOPES:
        raise ValueError(f"{scope} is not in SCOPES: nobody could be given it")

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        parts: Parts = connection.app.state["parts"]
        caller = await parts.keyring.find(bearer_key(dict(connection.scope["headers"])))
        if caller is None:
            raise not_authenticated()
        if caller.kind != "admin":
            raise Refusal(Problem.FORBIDDEN, "a write key may only send events")
        if not caller.may(scope):
            raise Refusal(Problem.FORBIDDEN, f"the key lacks the scope {scope}")
        connection.scope["state"][CALLER] = caller

    return guard


def caller_of(scope: Any) -> Holder:
    """Whom the guard let in."""
    caller: Holder = scope["state"][CALLER]
    return caller
