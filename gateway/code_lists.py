"""Lists of promo codes over HTTP: made, filled, counted (S1.17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.params import JSONBody
from msgspec import Meta

from angarium.config.limits import NAME_LENGTH
from angarium.core.delivery.keys import make_id
from angarium.core.store import codes, reading
from angarium.core.store.codes import CodeList
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.code_bodies import CODE_LETTERS, CODES_MOST, UPLOAD_BYTES, read_codes
from angarium.gateway.idempotency import IdempotencyKey, once
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import AllParts, Parts
from angarium.gateway.paths import Id, segment
from angarium.gateway.problems import Problem, Refusal

LIST: Final = "code-lists"
ID_SEGMENT: Final = 2  # of /v1/code-lists/{id}
READ: Final = requires("campaigns:read")
WRITE: Final = requires("campaigns:write")
PREFIX: Final = "cdl_"
LIST_MOST: Final = 10_000_000
"""Codes of one list."""
AT_ONCE: Final = 5_000
"""Codes in one transaction, so that an upload holds up nobody who writes."""

AnyRequest = Request[Any, Any, Any]
ABSENT: Final = {404: refused("No list has this id.")}


class NewCodeListBody(msgspec.Struct, forbid_unknown_fields=True):
    """The list that is wanted; campaigns name it by this name, or by its id."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH, examples=["Spring"])]


class CodeListBody(msgspec.Struct, rename="camel"):
    """A list and its figures: of `total` codes `given` are somebody's, and `free` are left."""

    id: str
    name: str
    total: int
    free: int
    given: int
    created_at: str


class UploadedBody(CodeListBody, rename="camel"):
    """The list after an upload: `added` codes are new, `duplicates` stood there or came twice."""

    added: int
    duplicates: int


@dataclass
class UploadOperation(Operation):
    """What Litestar cannot see: the handler takes the body as it came."""

    def __post_init__(self) -> None:
        code = Schema(type=OpenAPIType.STRING, min_length=1, max_length=CODE_LETTERS)
        array = Schema(type=OpenAPIType.ARRAY, items=code, min_items=1, max_items=CODES_MOST)
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        example: dict[str, Example | Reference] = {
            "json": Example(summary="For example", value=examples.CODES)
        }
        self.request_body = RequestBody(
            required=True,
            description="One code in each line, or an array; Content-Encoding may be gzip.",
            content={
                "application/json": OpenAPIMediaType(schema=array, examples=example),
                "text/csv": text,
                "text/plain": text,
            },
        )


@post(
    "/v1/code-lists",
    guards=[WRITE],
    responses={
        201: told(CodeListBody, examples.CODE_LIST),
        409: refused("Another list has this name."),
    },
    summary="Make a list of promo codes",
    description="Scope: campaigns:write. It is empty at first.",
    tags=["codes"],
)
async def create_code_list(
    parts: Parts,
    caller: Caller,
    request: AnyRequest,
    data: JSONBody[NewCodeListBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(seed: str) -> CodeListBody:
        _check_name(data.name)
        id_ = make_id(PREFIX, caller.workspace, seed)

        async def save(tx: Transaction) -> CodeList | None:
            return await codes.create_list(tx, caller.workspace, id_, data.name, parts.now())

        made = await transact(parts.store, save)
        if made is None:
            raise Refusal(Problem.CONFLICT, "another list has this name")
        return _body(made)

    return await once(parts, caller, request, work)


@get(
    "/v1/code-lists",
    guards=[READ],
    responses={200: told(Page[CodeListBody], examples.page(examples.CODE_LIST))},
    summary="List the lists of promo codes, newest first",
    description="Scope: campaigns:read.",
    tags=["codes"],
)
async def list_code_lists(
    parts: Parts, caller: Caller, limit: Limit = USUAL, cursor: Cursor = None
) -> Page[CodeListBody]:
    before = read_cursor(cursor, tuple[int, str], reading.START, LIST)
    async with parts.store.reading() as tx:
        found = await codes.page_lists(tx, caller.workspace, before, limit + 1)
    shown = found[:limit]
    place = (shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return Page([_body(one) for one in shown], make_cursor(place, LIST) if place else None)


@get(
    "/v1/code-lists/{list_id:str}",
    guards=[READ],
    responses={200: told(CodeListBody, examples.CODE_LIST), **ABSENT},
    summary="One list of promo codes, with its figures",
    description="Scope: campaigns:read.",
    tags=["codes"],
)
async def get_code_list(
    parts: Parts, caller: Caller, request: AnyRequest, list_id: Id
) -> CodeListBody:
    return _body(await _find(parts, caller.workspace, segment(request.scope, ID_SEGMENT)))


@post(
    "/v1/code-lists/{list_id:str}/codes",
    guards=[WRITE],
    status_code=200,
    operation_class=UploadOperation,
    request_max_body_size=UPLOAD_BYTES,
    responses={
        200: told(UploadedBody, {**examples.CODE_LIST, "added": 3, "duplicates": 0}),
        **ABSENT,
        409: refused("The list is full."),
        413: refused("The upload is too large, packed or unpacked."),
        415: refused("The Content-Encoding is not gzip, deflate or identity."),
    },
    summary="Add promo codes to a list",
    description=(
        f"Scope: campaigns:write. Up to {CODES_MOST} codes of up to {CODE_LETTERS} characters. "
        "Codes that the list has are counted and left alone, so that an upload may be repeated."
    ),
    tags=["codes"],
)
async def upload_codes(
    parts: Parts,
    caller: Caller,
    request: AnyRequest,
    list_id: Id,
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(_: str) -> UploadedBody:
        old = await _find(parts, caller.workspace, segment(request.scope, ID_SEGMENT))
        headers = request.headers
        encoding = headers.get("content-encoding", "").encode("latin-1")
        body = await request.body()
        uploaded = read_codes(body, headers.get("content-type", ""), encoding)
        if old.total + len(uploaded) > LIST_MOST:
            raise Refusal(Problem.CONFLICT, f"a list may have {LIST_MOST} codes; make another")
        added = await _add(parts, caller.workspace, old.id, uploaded)
        new = _body(await _find(parts, caller.workspace, old.id))
        told_of = msgspec.structs.asdict(new)
        return UploadedBody(**told_of, added=added, duplicates=len(uploaded) - added)

    return await once(parts, caller, request, work, status=200)


async def _add(parts: AllParts, workspace: str, id_: str, uploaded: Sequence[str]) -> int:
    added = 0
    for first in range(0, len(uploaded), AT_ONCE):
        some = uploaded[first : first + AT_ONCE]

        async def save(tx: Transaction, some: Sequence[str] = some) -> int:
            return await codes.add_codes(tx, workspace, id_, some)

        added += await transact(parts.store, save)
    return added


async def _find(parts: AllParts, workspace: str, id_: str) -> CodeList:
    async with parts.store.reading() as tx:
        found = await codes.find_list(tx, workspace, id_) if "\0" not in id_ else None
    if found is None or found.id != id_:
        raise Refusal(Problem.NOT_FOUND, "no list of codes has this id")
    return found


def _check_name(name: str) -> None:
    if not name.isprintable() or name != name.strip():
        fault = "write it in one line, without blanks around it"
        raise Refusal(Problem.INVALID, errors=[("/name", fault)])
    if name.startswith(PREFIX):
        fault = f"must not begin with {PREFIX}, as ids do"
        raise Refusal(Problem.INVALID, errors=[("/name", fault)])


def _body(found: CodeList) -> CodeListBody:
    at = instant(found.created_at)
    return CodeListBody(found.id, found.name, found.total, found.free, found.given, at)
