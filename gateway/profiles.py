"""People over HTTP: who they are, and what they may be sent."""

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Request, get

from angarium.core.delivery.addresses import Contact, consent_to
from angarium.core.people.consent import Consent, Standing, explicit
from angarium.core.people.devices import PUSH_ENDPOINT, Device, Devices
from angarium.core.people.profile import State, consents_of
from angarium.core.store import reading
from angarium.core.store.protocol import Transaction
from angarium.core.store.reading import StoredProfile
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.auth import requires
from angarium.gateway.instants import instant
from angarium.gateway.keyring import Caller
from angarium.gateway.paging import USUAL, Cursor, Limit, Page, make_cursor, read_cursor
from angarium.gateway.parts import AllParts, Parts
from angarium.gateway.paths import Id, segment
from angarium.gateway.problems import Problem, Refusal

ANONYMOUS: Final = "anonymous:"
ID_SEGMENT: Final = 2  # of /v1/profiles/{userId}
LIST: Final = "profiles"
READ: Final = requires("profiles:read")
NOT_FOUND: Final = {404: refused("Nobody has this id.")}

_decode_state = msgspec.json.Decoder(State).decode
_decode_devices = msgspec.json.Decoder(Devices).decode


class ConsentBody(msgspec.Struct):
    """`opted_in`, `opted_out` or `unset`; why; and since when, where that is known."""

    state: str
    reason: str
    at: str | None


class DeviceBody(msgspec.Struct, rename="camel"):
    """A device that the person was the last to use; its push address is never shown.

    channel: `push` or `web_push`, where it has told an address. state: `live`, `dead` (a provider
    said so: when, and why) or `none` (no address, one withdrawn, or one lost to another device).
    """

    id: str
    type: str | None
    seen_at: str
    channel: str | None
    state: str
    dead_at: str | None = None
    dead_reason: str | None = None


class EventBody(msgspec.Struct):
    """When somebody did something first and last, and how often."""

    first: str
    last: str
    count: int


class PersonBody(msgspec.Struct, rename="camel"):
    """A person in a list."""

    id: str
    user_id: str | None
    known: bool
    attributes: dict[str, Any]
    created_at: str
    last_seen_at: str


class ProfileBody(PersonBody, rename="camel"):
    """All that is known of a person."""

    anonymous_ids: Sequence[str]
    consents: dict[str, ConsentBody]
    devices: Sequence[DeviceBody]
    events: dict[str, EventBody]


@get(
    "/v1/profiles",
    guards=[READ],
    responses={200: told(Page[PersonBody], examples.page(examples.PERSON))},
    summary="List people, last seen first",
    description="Scope: profiles:read. Merged profiles are not listed.",
    tags=["people"],
)
async def list_profiles(
    parts: Parts, caller: Caller, limit: Limit = USUAL, cursor: Cursor = None
) -> Page[PersonBody]:
    before = read_cursor(cursor, tuple[int, str], reading.START, LIST)
    async with parts.store.reading() as tx:
        found = await reading.list_profiles(tx, caller.workspace, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    place = (shown[-1].last_seen_at, shown[-1].id) if more else None
    return Page(
        [PersonBody(**_person(profile)) for profile in shown],
        make_cursor(place, LIST) if place else None,
    )


@get(
    "/v1/profiles/{user_id:str}",
    guards=[READ],
    responses={200: told(ProfileBody, examples.PROFILE), **NOT_FOUND},
    summary="One person",
    description=(
        "Scope: profiles:read. `user_id` is any text, percent-encoded (a slash as %2F); "
        "`anonymous:<anonymousId>` names a visitor, or whoever that visitor turned out to be."
    ),
    tags=["people"],
)
async def get_profile(
    parts: Parts, caller: Caller, request: Request[Any, Any, Any], user_id: Id
) -> ProfileBody:
    async with parts.store.reading() as tx:
        person = await find_person(tx, caller, request)
        anonymous = await reading.anonymous_ids(tx, caller.workspace, person)
        totals = await reading.event_totals(tx, caller.workspace, person.id)
    state = _decode_state(person.state)
    devices = _decode_devices(person.devices)
    return ProfileBody(
        **_person(person),
        anonymous_ids=anonymous,
        consents={
            channel: ConsentBody(standing.state, standing.reason, instant(standing.at))
            for channel, standing in _consents(parts, person, state, devices).items()
        },
        devices=[
            _device(id, device)
            for id, device in sorted(devices.items(), key=lambda item: -item[1].at)
        ],
        events={
            total.name: EventBody(instant(total.first_at), instant(total.last_at), total.count)
            for total in totals
        },
    )


def _consents(
    parts: AllParts, person: StoredProfile, state: State, devices: Devices
) -> dict[str, Standing]:
    """Where the person stands on our channels, then on those that plugins add."""
    found = consents_of(state, person.attributes, devices.values())
    contact = Contact(state.consents, devices)
    for name, channel in sorted(parts.plugins.channels.items()):
        if name not in found:
            stands, why = consent_to(channel, person.attributes, contact)
            said = explicit(state.consents.get(name, Consent()))
            found[name] = Standing(stands, why, said.at if said is not None else None)
    return found


async def find_person(
    tx: Transaction, caller: Caller, request: Request[Any, Any, Any]
) -> StoredProfile:
    """The person that the path names. Refuses with 404 where there is none in this workspace."""
    return await find_by_id(tx, caller.workspace, segment(request.scope, ID_SEGMENT))


async def find_by_id(tx: Transaction, workspace: str, text: str) -> StoredProfile:
    """The person whose userId is `text`, or that `anonymous:<id>` means. Refuses with 404."""
    kind, value = "user", text
    if text.startswith(ANONYMOUS):
        kind, value = "anonymous", text.removeprefix(ANONYMOUS)
    value = unicodedata.normalize("NFC", value)
    found = await reading.find_profile(tx, workspace, kind, value)
    if found is None:
        raise Refusal(Problem.NOT_FOUND, "nobody has this id")
    return found


def _device(id: str, device: Device) -> DeviceBody:
    death = device.death if device.is_dead else None
    channel = "web_push" if device.kind == PUSH_ENDPOINT else "push"
    return DeviceBody(
        id,
        device.type,
        instant(device.at),
        channel if device.has_address else None,
        "dead" if death is not None else "live" if device.is_live else "none",
        instant(death.at) if death is not None else None,
        death.reason if death is not None else None,
    )


def _person(profile: StoredProfile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "user_id": profile.user_id,
        "known": profile.user_id is not None,
        "attributes": profile.attributes,
        "created_at": instant(profile.created_at),
        "last_seen_at": instant(profile.last_seen_at),
    }
