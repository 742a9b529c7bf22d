"""What the API tells of people, events and refusals. Nothing here writes.

Every function reads one workspace only. Lists come newest first and go on from a place: the sort
key of the last row seen, in the order of the `before` tuple.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from angarium.core.store.protocol import Row, Transaction

START: Final = (2**63 - 1, "")
"""The place before the newest row of a list that ends in a text key."""
START_SERIAL: Final = (2**63 - 1, 2**63 - 1)
"""The same where the last key is a number."""
MERGES_FOLLOWED = 10

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_bindings = msgspec.json.Decoder(list[tuple[int, str]]).decode


class StoredProfile(msgspec.Struct, frozen=True):
    """A person as stored; instants in ms. state, devices: JSON as core/people reads it."""

    id: str
    user_id: str | None
    created_at: int
    last_seen_at: int
    attributes: dict[str, Any]
    state: str
    devices: str


class EventTotal(msgspec.Struct, frozen=True):
    """How often and when something was done; instants in ms."""

    name: str
    count: int
    first_at: int
    last_at: int


class LoggedEvent(msgspec.Struct, frozen=True):
    """One message as the log keeps it. body: properties, or traits and operations."""

    id: int
    at: int
    kind: str
    name: str
    device: str | None
    message_id: str
    anonymous_id: str | None
    body: dict[str, Any]


class LoggedMessage(msgspec.Struct, frozen=True):
    """One delivery as a line of the timeline, at the time when it was planned."""

    id: str
    at: int
    campaign: str
    version: int
    step: str
    channel: str
    provider: str
    state: str
    reason: str
    test: bool
    device: str | None


class Reject(msgspec.Struct, frozen=True):
    """A value or message that was not stored, and why."""

    id: int
    at: int
    message_id: str | None
    field: str
    code: str
    reason: str
    value: str | None


async def find_profile(
    tx: Transaction, workspace: str, kind: str, value: str
) -> StoredProfile | None:
    """The person that an id means now; `kind` is `user` or `anonymous`.

    An anonymous id means its open anonymous profile; while it has none, whoever logged in last.
    """
    for _ in range(2):
        rows = await tx.fetch("find_identity", workspace=workspace, kind=kind, value=value)
        if not rows:
            return None
        profile_id, bindings = rows[0]
        if profile_id is not None:
            return await read_profile(tx, workspace, profile_id)
        users = [user for _, user in sorted(_decode_bindings(bindings))]
        if not users:
            return None
        kind, value = "user", users[-1]
    return None


async def read_profile(tx: Transaction, workspace: str, profile_id: str) -> StoredProfile | None:
    """The person with that id, or the one into whom they were merged."""
    for _ in range(MERGES_FOLLOWED):
        rows = await tx.fetch("read_profile", workspace=workspace, id=profile_id)
        if not rows:
            return None
        *columns, merged_into = rows[0]
        if merged_into is None:
            return _profile(columns)
        profile_id = merged_into
    return None


async def list_profiles(
    tx: Transaction, workspace: str, before: tuple[int, str], limit: int
) -> list[StoredProfile]:
    """People by when they were last seen."""
    rows = await tx.fetch(
        "page_profiles", workspace=workspace, before_at=before[0], before_id=before[1], limit=limit
    )
    return [_profile(row) for row in rows]


async def anonymous_ids(tx: Transaction, workspace: str, profile: StoredProfile) -> list[str]:
    """The anonymous ids under which a person came."""
    query = "visitor_ids_of" if profile.user_id is None else "anonymous_ids_of"
    rows = await tx.fetch(query, workspace=workspace, profile=profile.id)
    return [value for (value,) in rows]


async def event_totals(tx: Transaction, workspace: str, profile_id: str) -> list[EventTotal]:
    """What a person did, by event."""
    rows = await tx.fetch("aggregates_of", workspace=workspace, profile=profile_id)
    return [EventTotal(*row) for row in rows]


async def list_logged_events(
    tx: Transaction, workspace: str, profile_id: str, before: tuple[int, int], limit: int
) -> list[LoggedEvent]:
    """What a person said, by event time."""
    rows = await tx.fetch(
        "page_timeline_events",
        workspace=workspace,
        profile=profile_id,
        before_at=before[0],
        before_id=before[1],
        limit=limit,
    )
    return [_logged_event(row) for row in rows]


async def list_logged_messages(
    tx: Transaction, workspace: str, profile_id: str, before: tuple[int, str], limit: int
) -> list[LoggedMessage]:
    """What was planned for a person, by the time of planning."""
    rows = await tx.fetch(
        "page_timeline_messages",
        workspace=workspace,
        profile=profile_id,
        before_at=before[0],
        before_id=before[1],
        limit=limit,
    )
    return [_logged_message(row) for row in rows]


async def list_event_names(
    tx: Transaction, workspace: str, after: str, limit: int
) -> list[EventTotal]:
    """The events of a workspace by name; `after` is the last name seen."""
    rows = await tx.fetch("page_event_names", workspace=workspace, after=after, limit=limit)
    return [EventTotal(*row) for row in rows]


async def property_types(
    tx: Transaction, workspace: str, events: Sequence[str]
) -> dict[str, dict[str, str]]:
    """By event, the types of its properties by name."""
    found: dict[str, dict[str, str]] = {event: {} for event in events}
    if events:
        rows = await tx.fetch("property_types_of", workspace=workspace, events=list(events))
        for event, name, kind in rows:
            found[event][name] = kind
    return found


async def event_slots(
    tx: Transaction, workspace: str, name: str, first: int
) -> list[tuple[int, int]]:
    """(half hour counted from 1970, occurrences) from the half hour `first` on."""
    rows = await tx.fetch("event_slots", workspace=workspace, name=name, first=first)
    return [(slot, count) for slot, count in rows]


async def people_since(tx: Transaction, workspace: str, name: str, since: int) -> int:
    """How many people did that at or after `since` (ms)."""
    rows = await tx.fetch("people_since", workspace=workspace, name=name, since=since)
    return int(rows[0][0])


async def list_rejects(
    tx: Transaction, workspace: str, before: tuple[int, int], limit: int
) -> list[Reject]:
    """What was not stored (S2.12)."""
    rows = await tx.fetch(
        "page_rejects", workspace=workspace, before_at=before[0], before_id=before[1], limit=limit
    )
    return [Reject(*row) for row in rows]


def _profile(row: Row) -> StoredProfile:
    id, user_id, created_at, last_seen_at, attributes, state, devices = row
    plain = _decode_object(attributes)
    return StoredProfile(id, user_id, created_at, last_seen_at, plain, state, devices)


def _logged_event(row: Row) -> LoggedEvent:
    id, at, kind, name, device, message_id, anonymous_id, body = row
    return LoggedEvent(id, at, kind, name, device, message_id, anonymous_id, _decode_object(body))


def _logged_message(row: Row) -> LoggedMessage:
    id, at, campaign, version, step, channel, provider, state, reason, test, device = row
    return LoggedMessage(
        id, at, campaign, version, step, channel, provider, state, reason, bool(test), device
    )
