"""The people, messages and campaigns of the cases: made from a seed, the same at every run.

A shop's traffic: nine messages of ten are events, of fifty names, a few of them common and most
rare; one in ten is an identify. Of the people, six in ten come through a server's SDK (user id
only), two through a browser where they are logged in (both ids), and two are strangers.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import NOBODY, events_subject
from angarium.core.bus.wire import Outgoing
from angarium.core.campaigns.definition import parse_campaign
from angarium.core.events.times import format_instant
from angarium.core.store.campaigns import create_campaign, move
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import now
from angarium.gateway.envelope import Envelope

WORKSPACE = "default"
NAMES = tuple(f"Event {number:02}" for number in range(50))
CITIES = ("Tehran", "Mashhad", "Isfahan", "Shiraz", "Tabriz", "Karaj", "Qom", "Ahvaz")
PUBLISHED_AT_ONCE = 100

Json = dict[str, Any]
CONTEXT: Json = {
    "library": {"name": "analytics", "version": "2.3.2"},
    "ip": "203.0.113.7",
    "locale": "fa-IR",
    "timezone": "Asia/Tehran",
}
_encode = msgspec.json.Encoder().encode
_weights = list(accumulate(1 / (rank + 1) ** 0.8 for rank in range(len(NAMES))))


def messages(count: int, people: int, *, seed: int = 1, prefix: str = "m") -> Iterator[bytes]:
    """Messages as SDKs send them, about 400 bytes each; ids begin with `prefix`."""
    chance = random.Random(seed)
    began_at = now() - count
    for number in range(count):
        who = chance.randrange(people)
        message = _ids(who) | {
            "messageId": f"{prefix}-{seed}-{number:08}-5f0c6ab1",
            "timestamp": format_instant(began_at + number),
            "context": CONTEXT,
        }
        yield _encode(message | (_identify(who) if number % 10 == 0 else _track(chance)))


def _ids(who: int) -> Json:
    match who % 10:
        case 6 | 7:
            return {"userId": f"user-{who}", "anonymousId": f"browser-{who}-6f1d2b7c"}
        case 8 | 9:
            return {"anonymousId": f"browser-{who}-6f1d2b7c"}
        case _:
            return {"userId": f"user-{who}"}


def _identify(who: int) -> Json:
    traits = {
        "email": f"user{who}@example.org",
        "phone": f"0912{who % 10_000_000:07}",
        "firstName": f"Name{who % 500}",
        "city": CITIES[who % len(CITIES)],
        "plan": "gold" if who % 7 == 0 else "basic",
        "orders": who % 40,
    }
    return {"type": "identify", "traits": traits}


def _track(chance: random.Random) -> Json:
    [name] = chance.choices(NAMES, cum_weights=_weights)
    properties = {
        "product": f"sku-{chance.randrange(5000)}",
        "category": "shoes",
        "price": chance.randrange(100),
        "quantity": 1 + chance.randrange(3),
        "currency": "IRR",
        "coupon": None,
    }
    return {"type": "track", "event": name, "properties": properties}


def definitions() -> list[Json]:
    """A hundred campaigns; every event is named by exactly three of them.

    Each name triggers one that greets certain people at once (a tenth of the events fit its
    `where`), and one that waits an hour (a fifth fit), which the next name stops.
    """
    found: list[Json] = []
    for number, name in enumerate(NAMES):
        loyal = {"event": name, "count": {"at_least": 2}}
        found.append(
            {
                "name": f"Offer {number}",
                "audience": {"all": [{"attribute": "city", "in": list(CITIES[:3])}, loyal]},
                "send_at": {"trigger": {"event": name, "where": _price(90)}},
                "content": CONTENT,
            }
        )
        stop = {"event": NAMES[(number + 1) % len(NAMES)]}
        trigger = {"event": name, "where": _price(80)}
        found.append(
            {
                "name": f"Reminder {number}",
                "send_at": {"trigger": trigger, "delay": "PT1H", "stop": stop},
                "content": CONTENT,
            }
        )
    return found


def _price(at_least: int) -> Json:
    return {"property": "price", "at_least": at_least}


CONTENT: Json = {
    "email": {
        "subject": "{{ profile.first_name | default: 'Hello' }}, {{ event.properties.product }}",
        "html": (
            "<p>Hello {{ profile.first_name | default: 'you' }}, {% if profile.city %}"
            "people in {{ profile.city }}{% else %}others{% endif %} like "
            "<a href='https://shop.example.org/p/{{ event.properties.product }}'>"
            "{{ event.properties.product }}</a> for {{ event.properties.price }}.</p>"
            "<p><a href='{{ links.unsubscribe }}'>No more of these</a></p>"
        ),
    }
}

WELCOME: Json = {
    "name": "Welcome",
    "send_at": {"trigger": {"event": "Signed Up"}},
    "content": {"email": {"subject": "Welcome {{ profile.first_name }}", "text": "Hello."}},
}


async def activate(store: Store, campaigns: Sequence[Json]) -> list[str]:
    """Have these campaigns react to events from now on; gives their ids."""
    ids: list[str] = []
    async with store.transaction() as tx:
        for number, definition in enumerate(campaigns):
            parse_campaign(definition)
            name, text = definition["name"], _encode(definition).decode()
            id_ = f"cmp_{number:024}"
            made = await create_campaign(tx, WORKSPACE, id_, name, text, now())
            await move(tx, WORKSPACE, made, "active", now())
            ids.append(id_)
    return ids


def enveloped(batch: Sequence[bytes], request: str) -> bytes:
    """Messages as the HTTP door puts them on the stream."""
    return Envelope(received_at=now(), request_id=request).around(batch)


async def publish(bus: Bus, batches: Sequence[Sequence[bytes]]) -> None:
    """Put batches on the stream, each as one message."""
    subject = events_subject(WORKSPACE, NOBODY)
    for first in range(0, len(batches), PUBLISHED_AT_ONCE):
        part = batches[first : first + PUBLISHED_AT_ONCE]
        await bus.publish_all(
            [
                Outgoing(subject, enveloped(batch, f"req_{first + n:020}"))
                for n, batch in enumerate(part)
            ]
        )


def in_batches(all_: Sequence[bytes], size: int) -> list[Sequence[bytes]]:
    """Cut into parts of `size`."""
    return [all_[first : first + size] for first in range(0, len(all_), size)]
