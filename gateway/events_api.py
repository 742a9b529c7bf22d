"""Events over HTTP: which there are, and how often they happen."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, get
from litestar.params import FromQuery

from angarium.core.store import reading
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.auth import requires
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id, segment
from angarium.gateway.windows import Window, bucket_starts, first_slot, sum_slots

LIST: Final = "events"
NAME_SEGMENT: Final = 2  # of /v1/events/{name}/stats
READ: Final = requires("events:read")


class EventNameBody(msgspec.Struct, rename="camel"):
    """An event that has occurred; `properties`: the type of each, fixed by its first value."""

    name: str
    count: int
    first_at: str
    last_at: str
    properties: dict[str, str]


class BucketBody(msgspec.Struct):
    """Occurrences from an instant to the next bucket's."""

    from_: str = msgspec.field(name="from")
    count: int


class EventStatsBody(msgspec.Struct):
    """Occurrences in a window that ends now; `people`: how many different people."""

    window: str
    total: int
    people: int
    buckets: Sequence[BucketBody]


@get(
    "/v1/events",
    guards=[READ],
    responses={200: told(Page[EventNameBody], examples.page(examples.EVENT_NAME))},
    summary="List the events that have occurred, by name",
    description="Scope: events:read.",
    tags=["events"],
)
async def list_events(
    parts: Parts, caller: Caller, limit: Limit = USUAL, cursor: Cursor = None
) -> Page[EventNameBody]:
    (after,) = read_cursor(cursor, tuple[str], ("",), LIST)
    async with parts.store.reading() as tx:
        found = await reading.list_event_names(tx, caller.workspace, after, limit + 1)
        shown = found[:limit]
        names = [event.name for event in shown]
        types = await reading.property_types(tx, caller.workspace, names)
    return Page(
        [
            EventNameBody(
                event.name,
                event.count,
                instant(event.first_at),
                instant(event.last_at),
                types[event.name],
            )
            for event in shown
        ],
        make_cursor((names[-1],), LIST) if len(found) > limit else None,
    )


@get(
    "/v1/events/{name:str}/stats",
    guards=[READ],
    responses={200: told(EventStatsBody, examples.EVENT_STATS)},
    summary="Occurrences of an event over the last 12 hours, week or month",
    description=(
        "Scope: events:read. Buckets: 12h by half hour, 7d by six hours, 30d by day, in the "
        "instance's time zone; the last bucket is the present one and still grows. The set of "
        "names is open, so one that never occurred has zeros."
    ),
    tags=["events"],
)
async def get_event_stats(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    name: Id,
    window: FromQuery[Window] = "12h",
) -> EventStatsBody:
    name = segment(request.scope, NAME_SEGMENT)
    zone = ZoneInfo(parts.settings.people.timezone)
    starts = bucket_starts(window, parts.now(), zone)
    async with parts.store.reading() as tx:
        slots = await reading.event_slots(tx, caller.workspace, name, first_slot(starts))
        people = await reading.people_since(tx, caller.workspace, name, starts[0])
    counts = sum_slots(starts, slots)
    return EventStatsBody(
        window,
        sum(counts),
        people,
        [BucketBody(instant(at), count) for at, count in zip(starts, counts, strict=True)],
    )
