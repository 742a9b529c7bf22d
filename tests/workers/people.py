"""Apply messages to a store and read back what became of people, for comparison."""

from collections.abc import Sequence
from typing import Any

import msgspec

from angarium.core.events.message import Message
from angarium.core.people.devices import Devices
from angarium.core.people.profile import State, consents_of
from angarium.core.store.changes import Changes
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.apply import Batch, apply_messages
from angarium.core.workers.enrol import Enrolment
from angarium.core.workers.knowledge import load_knowledge
from angarium.core.workers.rules import RuleShelf

NOW = 1_800_000_000_000


def said(id: str, kind: str = "track", **members: Any) -> Message:
    """A message with sensible defaults; `at` is in ms after NOW."""
    at = NOW + members.pop("at", 0)
    base: dict[str, Any] = {
        "id": id,
        "kind": kind,
        "name": "",
        "user_id": None,
        "anonymous_id": None,
        "at": at,
        "received_at": at,
        "properties": {},
        "traits": {},
    }
    if kind == "track":
        base["name"] = "Visited"
    return Message(**(base | members))


async def apply(store: Store, workspace: str, messages: Sequence[Message], shard: int = 0) -> int:
    """Apply one batch as a worker would; how many were new."""

    async def work(tx: Transaction) -> int:
        knowledge = await load_knowledge(tx, workspace)
        enrolment = Enrolment(RuleShelf({}, "UTC"), workspace, NOW, shard)
        changes = Changes(shard)
        batch = Batch(knowledge, enrolment, changes, NOW, "IR")
        fresh = [msgspec.structs.replace(message) for message in messages]
        count = await apply_messages(tx, batch, fresh, shard)
        await changes.save(tx, NOW)
        return count

    return await transact(store, work, attempts=30)


async def everybody(store: Store, workspace: str) -> list[dict[str, Any]]:
    """All people as plain values, without ids of ours, in a fixed order."""
    async with store.reading() as tx:
        profiles = await tx.fetch("export_profiles", workspace=workspace)
        totals = await tx.fetch("export_totals", workspace=workspace)
        events = await tx.fetch("export_events", workspace=workspace)
        held = {
            row[0]: row[7]
            for row in await tx.fetch(
                "find_profiles", workspace=workspace, ids=[row[0] for row in profiles]
            )
        }
    found: list[dict[str, Any]] = []
    for id, user_id, created_at, last_seen_at, attributes, state in profiles:
        plain = msgspec.json.decode(attributes)
        devices = msgspec.json.decode(held[id], type=Devices)
        consents = consents_of(msgspec.json.decode(state, type=State), plain, devices.values())
        found.append(
            {
                "user": user_id,
                "span": (created_at, last_seen_at),
                "attributes": dict(sorted(plain.items())),
                "consents": {name: standing.state for name, standing in consents.items()},
                "devices": dict(sorted(devices.items())),
                "totals": sorted(
                    (event, count, first, last, msgspec.json.decode(numbers))
                    for profile, event, count, first, last, numbers in totals
                    if profile == id
                ),
                "events": sorted(message for profile, message in events if profile == id),
            }
        )
    return sorted(found, key=lambda person: (person["user"] or "", person["events"]))
