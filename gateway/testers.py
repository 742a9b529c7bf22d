"""People marked as testers, over HTTP: tests of campaigns go to them (S1.17).

Marking somebody also adds `tester` to their attribute `tags`, so that conditions see it
(`{"tag": "tester"}`). Who gets tests is told by the mark alone: a page of a shop may set the
attributes of its visitors.
"""

import unicodedata
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Request, delete, get, put

from angarium.config.limits import MESSAGE_BYTES
from angarium.core.segments.parsing import TAGS
from angarium.core.store import reading, testers
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact
from angarium.core.store.testers import Marked
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.envelope import Envelope, check, pack
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import AllParts, Parts
from angarium.gateway.paths import Id, segment
from angarium.gateway.problems import Problem, Refusal
from angarium.gateway.request_ids import request_id_of

LIST: Final = "testers"
ID_SEGMENT: Final = 2  # of /v1/testers/{userId}
TESTERS_MOST: Final = 100
"""People marked at one time: a test of a campaign goes to all of them at once."""
TAG: Final = "tester"

AnyRequest = Request[Any, Any, Any]


class TesterBody(msgspec.Struct, rename="camel"):
    """Somebody who gets tests."""

    user_id: str
    since: str


@get(
    "/v1/testers",
    guards=[requires("campaigns:read")],
    responses={200: told(Page[TesterBody], examples.page(examples.TESTER))},
    summary="List the people to whom tests of campaigns go",
    description="Scope: campaigns:read. By userId.",
    tags=["campaigns"],
)
async def list_testers(
    parts: Parts, caller: Caller, limit: Limit = USUAL, cursor: Cursor = None
) -> Page[TesterBody]:
    (after,) = read_cursor(cursor, tuple[str], ("",), LIST)
    async with parts.store.reading() as tx:
        found = await testers.list_testers(tx, caller.workspace, limit + 1, after)
    shown = found[:limit]
    place = (shown[-1].user_id,) if len(found) > limit else None
    return Page([_body(one) for one in shown], make_cursor(place, LIST) if place else None)


@put(
    "/v1/testers/{user_id:str}",
    guards=[requires("campaigns:write")],
    status_code=204,
    responses={
        404: refused("Nobody has this userId."),
        409: refused("As many people as may be are marked already."),
    },
    summary="Mark somebody as a tester",
    description=(
        f"Scope: campaigns:write. Up to {TESTERS_MOST} people; a second time changes nothing. "
        "`tester` is added to their attribute `tags`, as an identify would."
    ),
    tags=["campaigns"],
)
async def mark_tester(parts: Parts, caller: Caller, request: AnyRequest, user_id: Id) -> None:
    user_id = _user_in(request)

    async def work(tx: Transaction) -> None:
        if "\0" in user_id or not await _is_known(tx, caller.workspace, user_id):
            raise Refusal(Problem.NOT_FOUND, "nobody has this userId")
        now = parts.now()
        if not await testers.add_tester(tx, caller.workspace, user_id, now, most=TESTERS_MOST):
            raise Refusal(Problem.CONFLICT, f"{TESTERS_MOST} people may be testers at one time")

    await transact(parts.store, work)
    await _tag(parts, caller.workspace, request, user_id, "add")


@delete(
    "/v1/testers/{user_id:str}",
    guards=[requires("campaigns:write")],
    responses={404: refused("They are not marked.")},
    summary="Mark somebody as a tester no more",
    description="Scope: campaigns:write. `tester` is removed from their attribute `tags`.",
    tags=["campaigns"],
)
async def unmark_tester(parts: Parts, caller: Caller, request: AnyRequest, user_id: Id) -> None:
    user_id = _user_in(request)

    async def work(tx: Transaction) -> bool:
        return "\0" not in user_id and await testers.remove_tester(tx, caller.workspace, user_id)

    if not await transact(parts.store, work):
        raise Refusal(Problem.NOT_FOUND, "this person is not a tester")
    await _tag(parts, caller.workspace, request, user_id, "remove")


async def find_testers(tx: Transaction, workspace: str) -> list[str]:
    """Everybody's userId to whom a test goes, each person once. Refuses where there is nobody."""
    people: dict[str, str] = {}
    for one in await testers.list_testers(tx, workspace, TESTERS_MOST):
        person = await reading.find_profile(tx, workspace, "user", one.user_id)
        if person is not None:
            people.setdefault(person.id, one.user_id)
    if not people:
        fault = "nobody is marked as a tester; name people, or PUT /v1/testers/{userId}"
        raise Refusal(Problem.INVALID, errors=[("/to", fault)])
    return list(people.values())


async def _is_known(tx: Transaction, workspace: str, user_id: str) -> bool:
    return await reading.find_profile(tx, workspace, "user", user_id) is not None


async def _tag(
    parts: AllParts, workspace: str, request: AnyRequest, user_id: str, operation: str
) -> None:
    """Say on the stream what conditions shall see."""
    said = {
        "type": "identify",
        "messageId": uuid4().hex,
        "userId": user_id,
        "operations": {operation: {TAGS: TAG}},
    }
    envelope = Envelope(parts.now(), request_id_of(request.scope))
    checked = check([msgspec.json.encode(said)], envelope, MESSAGE_BYTES)
    for one in pack(checked, envelope, workspace, parts.settings.nats.partitions):
        await parts.bus.publish(one.subject, one.body)


def _user_in(request: AnyRequest) -> str:
    return unicodedata.normalize("NFC", segment(request.scope, ID_SEGMENT))


def _body(one: Marked) -> TesterBody:
    return TesterBody(one.user_id, instant(one.since))
