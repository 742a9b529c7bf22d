"""Events over HTTP where the stream has several partitions."""

from typing import Any

from angarium.config.settings import Nats, Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import EVENTS, partition_of, person_token
from tests.gateway.conftest import OpenDoor

pytest_plugins = ["tests.parts.nats"]

TRACK: dict[str, Any] = {"type": "track", "event": "Purchase", "userId": "u1"}


async def test_one_persons_messages_share_a_partition(open_door: OpenDoor, bus: Bus) -> None:
    door = await open_door(Settings(nats=Nats(partitions=4)), bus=bus)
    people = [f"user-{n % 8}" for n in range(64)]
    batch = [{**TRACK, "userId": who, "properties": {"n": n}} for n, who in enumerate(people)]

    response = await door.post("/v1/batch", {"batch": batch})

    assert response.json() == {"success": True}
    touched = {partition_of("default", person_token(who), 4) for who in people}
    envelopes = await door.stored(len(touched))
    sent = [[m["properties"]["n"] for m in e["batch"]] for e in envelopes]
    assert all(numbers == sorted(numbers) for numbers in sent)
    assert sorted(n for numbers in sent for n in numbers) == list(range(64))
    owners = [{m["userId"] for m in e["batch"]} for e in envelopes]
    assert sum(map(len, owners)) == len(set(people))


async def test_the_stream_puts_an_envelope_where_the_door_meant_it(
    open_door: OpenDoor, bus: Bus
) -> None:
    door = await open_door(Settings(nats=Nats(partitions=4)), bus=bus)

    await door.post("/v1/track", TRACK)

    partition = partition_of("default", person_token("u1"), 4)
    async with bus.pull(EVENTS, after=0, partition=partition) as puller:
        [item] = await puller.get(1)
    assert item.sequence == 1
