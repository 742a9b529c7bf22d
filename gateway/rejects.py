"""What was not stored, over HTTP: nothing is dropped in silence (S2.12)."""

from typing import Final

import msgspec
from litestar import get

from angarium.core.store import reading
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.auth import requires
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import Parts

LIST: Final = "rejects"


class RejectBody(msgspec.Struct, rename="camel"):
    """A value or message that was not stored: which field, a stable code, why; `value` is cut."""

    at: str
    message_id: str | None
    field: str
    code: str
    reason: str
    value: str | None


@get(
    "/v1/rejects",
    guards=[requires("rejects:read")],
    responses={200: told(Page[RejectBody], examples.page(examples.REJECT))},
    summary="List what was not stored and why, newest first",
    description="Scope: rejects:read.",
    tags=["events"],
)
async def list_rejects(
    parts: Parts, caller: Caller, limit: Limit = USUAL, cursor: Cursor = None
) -> Page[RejectBody]:
    before = read_cursor(cursor, tuple[int, int], reading.START_SERIAL, LIST)
    async with parts.store.reading() as tx:
        found = await reading.list_rejects(tx, caller.workspace, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return Page(
        [
            RejectBody(instant(row.at), row.message_id, row.field, row.code, row.reason, row.value)
            for row in shown
        ],
        make_cursor((shown[-1].at, shown[-1].id), LIST) if more else None,
    )
