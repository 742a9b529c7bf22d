"""What a person did and was sent, in one list, newest first (S0.3)."""

from typing import Any, Final, NamedTuple

import msgspec
from litestar import Request, get

from angarium.core.store import reading
from angarium.core.store.protocol import Transaction
from angarium.core.store.reading import LoggedEvent, LoggedMessage
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id
from angarium.gateway.profiles import NOT_FOUND, READ, find_person

LIST: Final = "timeline"
EVENT: Final = frozenset({"track", "page", "screen"})
LAST: Final = 2**63 - 1


class Place(NamedTuple):
    """A line's sort key. Of one instant a message stands above what caused it."""

    at: int
    is_message: int
    log_id: int
    message_id: str


START: Final = Place(LAST, 1, 0, "")


class EntryBody(msgspec.Struct, rename="camel"):
    """One line: `event`, `message`, `identify`, `group`, `alias` or `merge`."""

    at: str
    kind: str
    name: str
    properties: dict[str, Any]
    device: str | None
    message_id: str | None


@get(
    "/v1/profiles/{user_id:str}/timeline",
    guards=[READ],
    responses={200: told(Page[EntryBody], examples.page(examples.ENTRY)), **NOT_FOUND},
    summary="What a person did and was sent, newest first",
    description="Scope: profiles:read. A message stands at the time when it was planned.",
    tags=["people"],
)
async def get_timeline(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    user_id: Id,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[EntryBody]:
    async with parts.store.reading() as tx:
        person = await find_person(tx, caller, request)
        place = read_cursor(cursor, Place, START, LIST, person.id)
        found = await _entries(tx, caller.workspace, person.id, place, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return Page(
        [entry for _, entry in shown],
        make_cursor(shown[-1][0], LIST, person.id) if more else None,
    )


async def _entries(
    tx: Transaction, workspace: str, profile_id: str, place: Place, limit: int
) -> list[tuple[Place, EntryBody]]:
    at, is_message, log_id, message_id = place
    before_event = (at, LAST if is_message else log_id)
    before_message = (at, message_id)  # "" after a line of the log: none of that instant is left
    events = await reading.list_logged_events(tx, workspace, profile_id, before_event, limit)
    messages = await reading.list_logged_messages(tx, workspace, profile_id, before_message, limit)
    entries = [_event(event) for event in events] + [_message(message) for message in messages]
    return sorted(entries, key=lambda entry: entry[0], reverse=True)[:limit]


def _event(event: LoggedEvent) -> tuple[Place, EntryBody]:
    body = EntryBody(
        at=instant(event.at),
        kind="event" if event.kind in EVENT else event.kind,
        name=event.name,
        properties=event.body,
        device=event.device,
        message_id=event.message_id,
    )
    return Place(event.at, 0, event.id, ""), body


def _message(message: LoggedMessage) -> tuple[Place, EntryBody]:
    body = EntryBody(
        at=instant(message.at),
        kind="message",
        name=message.channel,
        properties={
            "delivery": message.id,
            "campaign": message.campaign,
            "version": message.version,
            "step": message.step,
            "channel": message.channel,
            "provider": message.provider,
            "state": message.state,
            "reason": message.reason,
            "test": message.test,
        },
        device=message.device,
        message_id=None,
    )
    return Place(message.at, 1, 0, message.id), body
