"""Fill a database with people, totals and planned deliveries, many at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.delivery.record import AT_MOST_ONCE, NewDelivery
from angarium.core.people.attributes import Cell
from angarium.core.people.devices import Address, Device, Permission
from angarium.core.people.identity import profile_of_user
from angarium.core.people.profile import State
from angarium.core.store import ledger
from angarium.core.store.changes import Changes
from angarium.core.store.outbox import delete_outbox
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import now
from benchmarks.traffic import CITIES, NAMES, WORKSPACE

AT_ONCE = 5_000
DAY = 86_400_000

Values = tuple[Any, ...]
_encode = msgspec.json.Encoder().encode


class Reach(msgspec.Struct, frozen=True):
    """By what a person is reached besides: more attributes, a device."""

    attributes: dict[str, str] = {}
    device: Device | None = None


def plain(who: int) -> Reach:
    """By email and text message only, as everybody is."""
    return Reach()


async def add_people(
    store: Store, count: int, events_each: int, reach: Callable[[int], Reach] = plain
) -> None:
    """`count` known people as they would be after an identify and some events each.

    reach: of the person with that number.
    """
    at = now() - 30 * DAY
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(count, first + AT_ONCE))
        people = [(who, profile_of_user(WORKSPACE, f"user-{who}")) for who in numbers]
        more = {id: reach(who) for who, id in people}
        profiles = sorted(_profile(who, id, at, more[id].attributes) for who, id in people)
        users = sorted((WORKSPACE, "user", f"user-{who}", id, "[]") for who, id in people)
        totals = sorted(row for who, id in people for row in _totals(who, id, at, events_each))
        async with store.transaction() as tx:
            await tx.many("add_profiles", profiles)
            await tx.many("add_identities", users)
            for part in _parts(totals, AT_ONCE):
                await tx.many("save_totals", part)
            await tx.many("save_devices_of_profiles", sorted(_devices(more)))


def reached_by(type_: str, address: str) -> Device:
    """A device whose push address was told a month ago, and that may show notifications."""
    at = now() - 30 * DAY
    return Device(at, 0, type_, Address(at, 0, address), Permission(at, 0, granted=True))


def _devices(reaches: Mapping[str, Reach]) -> Iterator[Values]:
    for id, reach in reaches.items():
        if reach.device is not None:
            yield WORKSPACE, id, _encode({"device": reach.device}).decode()


def _profile(who: int, id: str, at: int, more: Mapping[str, str]) -> Values:
    attributes: dict[str, Any] = {
        "email": f"user{who}@example.org",
        "mobile": f"+98912{who % 10_000_000:07}",
        "first_name": f"Name{who % 500}",
        "city": CITIES[who % len(CITIES)],
        "plan": "gold" if who % 7 == 0 else "basic",
        "orders": who % 40,
        **more,
    }
    state = State({name: Cell(True, at, who, value) for name, value in attributes.items()})
    texts = (_encode(attributes).decode(), _encode(state).decode())
    return (WORKSPACE, id, f"user-{who}", at, at + who % DAY, *texts, 1, None)


def _totals(who: int, id: str, at: int, count: int) -> Iterator[Values]:
    price = who % 100
    numbers = _encode({"price": [price, price, price, price, at, 1]}).decode()
    for step in range(count):
        yield (WORKSPACE, id, NAMES[(who + 7 * step) % len(NAMES)], 1, at, at, numbers)


async def plan_deliveries(
    store: Store, campaign: str, numbers: Sequence[int], people: int, channel: str = "email"
) -> None:
    """Deliveries of a campaign that are due now, one for each event of `people`."""
    at = now()
    for first in range(0, len(numbers), AT_ONCE):
        part = numbers[first : first + AT_ONCE]
        planned = [_delivery(n, campaign, people, channel, at) for n in part]
        changes = Changes()
        async with store.transaction() as tx:
            await ledger.plan(tx, planned, changes)
            # What is planned is counted; that it was reported already is of no interest here.
            row = await changes.save(tx, at)
            await delete_outbox(tx, [row.id] if row is not None else [])


def _delivery(number: int, campaign: str, people: int, channel: str, at: int) -> NewDelivery:
    properties = {"product": f"sku-{number % 5000}", "price": number % 100, "currency": "IRR"}
    event = {"name": NAMES[0], "properties": properties, "timestamp": "2026-11-22T10:00:00.000Z"}
    return NewDelivery(
        workspace=WORKSPACE,
        id=make_id("dlv_", WORKSPACE, "bench", campaign, str(number)),
        source="campaign",
        campaign=campaign,
        version=1,
        step="send",
        run=None,
        profile_id=profile_of_user(WORKSPACE, f"user-{number % people}"),
        channel=channel,
        class_="marketing",
        promise=AT_MOST_ONCE,
        due_at=at,
        expires_at=at + DAY,
        planned_at=at,
        context={"event": event},
        triggered_at=at,
    )


def _parts(rows: Sequence[Values], size: int) -> Iterator[Sequence[Values]]:
    for first in range(0, len(rows), size):
        yield rows[first : first + size]
