"""Keys over HTTP: make one, list them, revoke one."""

from typing import Annotated, Final, Literal

import msgspec
from litestar import delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from angarium.config.limits import NAME_LENGTH
from angarium.core.store.keys import (
    DEFAULT_SCOPES,
    KeyRecord,
    Kind,
    find_key,
    list_keys,
    make_key,
    revoke_key,
    save_key,
    scope_mistake,
)
from angarium.gateway.auth import requires
from angarium.gateway.instants import instant, read_instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, ProblemBody, Refusal

LIST: Final = "keys"
FIRST: Final = (2**62, "")
"""Before the newest key."""
ABSENT: Final = {404: ResponseSpec(ProblemBody, description="No key has this id.")}

Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
Scope = Annotated[str, Meta(pattern=r"^(\*|ingest|[a-z_]{1,40}:(read|write|\*))$")]
Scopes = Annotated[list[Scope], Meta(min_length=1, max_length=100)]
KeyId = Annotated[str, PathParameter(description="As it stands in the list.")]


class NewKey(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The key that is wanted. Without scopes an admin key may do everything.

    A write key sends events and nothing else, so it may stand in a page or an app.
    """

    kind: Literal["admin", "write"]
    name: Name
    scopes: Scopes | None = None
    expires_at: str | None = None


class KeyBody(msgspec.Struct, rename="camel"):
    """A key as it is listed; `hint` is its beginning and its end."""

    id: str
    kind: str
    name: str
    scopes: list[str]
    hint: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None


class MadeKey(msgspec.Struct, rename="camel"):
    """A key that was just made. `key` is shown here and never again."""

    id: str
    kind: str
    name: str
    scopes: list[str]
    key: str
    expires_at: str | None


@post("/v1/keys", guards=[requires("keys:write")], tags=["keys"], summary="Make a key")
async def create(parts: Parts, caller: Caller, data: JSONBody[NewKey]) -> MadeKey:
    """The text of the key stands in this answer only: just its hash is kept.

    Nobody can give away more than they may do themselves. `Idempotency-Key` does not apply: an
    answer kept for repeating would keep the secret. Needs the scope `keys:write`.
    """
    scopes = sorted(set(data.scopes or DEFAULT_SCOPES[data.kind]))
    _check_scopes(caller, data.kind, scopes)
    expires_at = read_instant(data.expires_at, "/expiresAt")
    now = parts.now()
    if expires_at is not None and expires_at <= now:
        raise Refusal(Problem.INVALID, errors=[("/expiresAt", "it lies in the past")])
    text = make_key(data.kind)
    async with parts.store.transaction() as tx:
        id_ = await save_key(
            tx,
            caller.workspace,
            data.kind,
            text,
            name=data.name,
            now=now,
            scopes=scopes,
            expires_at=expires_at,
        )
    parts.keyring.forget()
    return MadeKey(id_, data.kind, data.name, scopes, text, instant(expires_at))


@get("/v1/keys", guards=[requires("keys:read")], tags=["keys"], summary="List the keys")
async def index(
    parts: Parts, caller: Caller, limit: Limit = USUAL, cursor: Cursor = None
) -> Page[KeyBody]:
    """Newest first, revoked and expired ones included. Needs the scope `keys:read`."""
    before = read_cursor(cursor, tuple[int, str], FIRST, LIST)
    async with parts.store.reading() as tx:
        keys = await list_keys(tx, caller.workspace, before=before, most=limit + 1)
    page = keys[:limit]
    last = page[-1] if len(keys) > limit else None
    next_cursor = make_cursor((last.created_at, last.id), LIST) if last else None
    return Page([_body(key) for key in page], next_cursor)


@delete(
    "/v1/keys/{key_id:str}",
    guards=[requires("keys:write")],
    tags=["keys"],
    summary="Revoke a key",
    responses=ABSENT,
)
async def revoke(parts: Parts, caller: Caller, key_id: KeyId) -> None:
    """It opens nothing here at once, and nothing on other machines within five seconds.

    The key of the request itself cannot be revoked with it. Needs the scope `keys:write`.
    """
    if key_id == caller.key:
        raise Refusal(Problem.CONFLICT, "a key cannot revoke itself; use another admin key")
    async with parts.store.transaction() as tx:
        if await find_key(tx, caller.workspace, key_id) is None:
            raise Refusal(Problem.NOT_FOUND, "no key has this id")
        await revoke_key(tx, caller.workspace, key_id, parts.now())
    parts.keyring.forget()


def _check_scopes(caller: Caller, kind: Kind, scopes: list[str]) -> None:
    if mistake := scope_mistake(kind, scopes):
        raise Refusal(Problem.INVALID, errors=[("/scopes", mistake)])
    for scope in scopes:
        if kind == "admin" and not caller.may(scope):
            raise Refusal(Problem.FORBIDDEN, f"the key lacks the scope {scope} itself")


def _body(key: KeyRecord) -> KeyBody:
    return KeyBody(
        id=key.id,
        kind=key.kind,
        name=key.name,
        scopes=key.scopes,
        hint=key.hint,
        created_at=instant(key.created_at),
        expires_at=instant(key.expires_at),
        revoked_at=instant(key.revoked_at),
    )


KEY_HANDLERS: Final = (create, index, revoke)
