import asyncio
from collections.abc import Awaitable, Callable

import pytest

from angarium.core.bus import api, puller, subjects
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusUnavailable, StreamReset
from angarium.core.bus.feed import Received
from angarium.core.bus.link import Link
from angarium.core.bus.puller import Puller
from angarium.core.bus.wire import Outgoing
from tests.parts.nats import PARTITIONS, NatsServer
from tests.parts.waiting import until

SUBJECT = subjects.events_subject("default", "someone")

Connect = Callable[[], Awaitable[Bus]]


async def publish(bus: Bus, first: int, count: int) -> None:
    await bus.publish_all([Outgoing(SUBJECT, b"%d" % n) for n in range(first, first + count)])


async def read(puller: Puller, count: int, most: int = 100) -> list[Received]:
    found: list[Received] = []
    while len(found) < count:
        found += await puller.get(most)
    return found


async def come(puller: Puller, count: int) -> None:
    """Wait until so many messages can be had without waiting."""

    async def enough() -> bool:
        return len(puller._buffer) >= count

    await until(enough)


async def consumers(link: Link) -> list[str]:
    names: list[str] = (await api.ask(link.session, "CONSUMER.NAMES.EVENTS"))["consumers"] or []
    return names


async def test_messages_come_in_order_with_sequence_and_time(bus: Bus) -> None:
    await publish(bus, 0, 1700)

    async with bus.pull(subjects.EVENTS, after=0) as puller:
        found = await read(puller, 1700)

    assert [message.body for message in found] == [b"%d" % n for n in range(1700)]
    assert [message.sequence for message in found] == list(range(1, 1701))
    assert found[0].at <= found[-1].at
    assert 1_700_000_000_000 < found[0].at < 100_000_000_000_000


async def test_reading_starts_after_the_given_position(bus: Bus) -> None:
    await publish(bus, 0, 10)

    async with bus.pull(subjects.EVENTS, after=7) as puller:
        assert [message.sequence for message in await read(puller, 3)] == [8, 9, 10]


async def test_get_gives_what_has_come_up_to_the_most_wanted(bus: Bus) -> None:
    await publish(bus, 0, 10)

    async with bus.pull(subjects.EVENTS, after=0) as puller:
        await come(puller, 10)
        await puller.get(1)
        sizes = [len(await puller.get(4)), len(await puller.get(4)), len(await puller.get(4))]

    assert sizes == [4, 4, 1]


async def test_get_waits_until_something_comes(bus: Bus) -> None:
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        waiting = asyncio.create_task(puller.get(10))
        await asyncio.sleep(0.05)
        assert not waiting.done()

        await bus.publish(SUBJECT, b"at last")

        assert [message.body for message in await waiting] == [b"at last"]


async def test_a_cancelled_get_loses_nothing(bus: Bus) -> None:
    found: list[Received] = []
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        for number in range(50):
            waiting = asyncio.create_task(puller.get(10))
            await asyncio.sleep(0)
            await bus.publish(SUBJECT, b"%d" % number)
            waiting.cancel()
            try:
                found += await waiting
            except asyncio.CancelledError:
                continue
        found += await read(puller, 50 - len(found)) if len(found) < 50 else []

    assert [message.body for message in found] == [b"%d" % number for number in range(50)]


async def test_one_partition_can_be_read_alone(bus: Bus) -> None:
    tokens = [subjects.person_token(str(number)) for number in range(200)]
    await bus.publish_all(
        [Outgoing(subjects.events_subject("default", token), token.encode()) for token in tokens]
    )
    wanted = [t for t in tokens if subjects.partition_of("default", t, PARTITIONS) == 2]

    async with bus.pull(subjects.EVENTS, after=0, partition=2) as puller:
        found = await read(puller, len(wanted))

    assert [message.body.decode() for message in found] == wanted


async def test_only_events_have_partitions(bus: Bus) -> None:
    with pytest.raises(ValueError, match="DECISIONS has no partitions"):
        bus.pull(subjects.DECISIONS, after=0, partition=0)


async def test_large_messages_do_not_fill_the_memory(bus: Bus) -> None:
    body = bytes(4 * 2**20)
    for _ in range(20):
        await bus.publish(SUBJECT, body)

    async with bus.pull(subjects.EVENTS, after=0) as puller:
        await puller.get(1)
        await asyncio.sleep(0.3)
        waiting = len(await puller.get(1000))
        rest = await read(puller, 19 - waiting, most=1)

    assert waiting * len(body) <= 64 * 2**20
    assert rest[-1].sequence == 20


async def test_reading_goes_on_after_the_server_was_killed(
    bus: Bus, nats_server: NatsServer
) -> None:
    await publish(bus, 0, 900)

    async with bus.pull(subjects.EVENTS, after=0, batch=50) as puller:
        found = await read(puller, 60, most=20)
        for round in range(1, 4):
            await nats_server.restart()
            await until_published(bus, round)
            found += await read(puller, 100, most=20)
        found += await read(puller, 903 - len(found))

    assert [message.sequence for message in found] == list(range(1, 904))


async def until_published(bus: Bus, number: int) -> None:
    while True:
        try:
            return await bus.publish(SUBJECT, b"", message_id=f"round {number}")
        except BusUnavailable:
            await asyncio.sleep(0.01)


async def test_reading_waits_for_a_server_that_is_away(bus: Bus, nats_server: NatsServer) -> None:
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        waiting = asyncio.create_task(puller.get(10))
        await nats_server.kill()
        await asyncio.sleep(0.5)
        assert not waiting.done()

        await nats_server.start()
        await until_published(bus, 1)

        assert [message.sequence for message in await waiting] == [1]


async def test_reading_goes_on_when_the_consumer_is_deleted(bus: Bus, link: Link) -> None:
    await publish(bus, 0, 10)
    async with bus.pull(subjects.EVENTS, after=0, batch=10) as puller:
        found = await read(puller, 10)

        for name in await consumers(link):
            await api.ask(link.session, f"CONSUMER.DELETE.EVENTS.{name}")
        await publish(bus, 10, 10)
        found += await read(puller, 10)

    assert [message.sequence for message in found] == list(range(1, 21))


async def test_reading_goes_on_when_the_server_falls_silent(bus: Bus, link: Link) -> None:
    await publish(bus, 0, 5)
    async with Puller(link, subjects.EVENTS, after=0, heartbeat=0.2) as puller:
        found = await read(puller, 5)
        first = await consumers(link)

        await puller_is_deaf(link)
        await publish(bus, 5, 5)
        found += await read(puller, 5)

        assert await consumers(link) != first
    assert [message.sequence for message in found] == list(range(1, 11))


async def puller_is_deaf(link: Link) -> None:
    """Have the server forget every subscription of the connection but that for answers."""
    client = link.session._client  # the only way to lose messages on a healthy connection
    for number in list(client._subs)[1:]:
        await client._send_unsubscribe(number)
    await link.session.flush(5)


async def test_a_lost_message_is_noticed_and_fetched_again(bus: Bus, link: Link) -> None:
    await publish(bus, 0, 5)
    async with Puller(link, subjects.EVENTS, after=0, heartbeat=5) as puller:
        found = await read(puller, 5)

        numbers = dict(link.session._client._subs)
        for number in list(numbers)[1:]:  # the first subscription is that for answers
            link.session._client._subs.pop(number)
        await publish(bus, 5, 1)
        await link.session.flush(5)
        link.session._client._subs.update(numbers)
        await publish(bus, 6, 5)
        found += await read(puller, 6)

    assert [message.sequence for message in found] == list(range(1, 12))


async def test_a_stream_made_anew_ends_the_reading(bus: Bus, link: Link) -> None:
    await publish(bus, 0, 3)
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        await read(puller, 3)
        await api.ask(link.session, "STREAM.DELETE.EVENTS")
        await bus.ensure_streams(partitions=PARTITIONS)

        with pytest.raises(StreamReset, match="EVENTS"):
            await puller.get(1)
        with pytest.raises(StreamReset, match="EVENTS"):
            await puller.get(1)


async def test_a_missing_stream_ends_the_reading(connect: Connect) -> None:
    bus = await connect()

    async with bus.pull(subjects.EVENTS, after=0) as puller:
        with pytest.raises(StreamReset, match="gone"):
            await puller.get(1)


async def test_a_stream_that_ends_before_the_position_ends_the_reading(bus: Bus) -> None:
    await publish(bus, 0, 3)

    async with bus.pull(subjects.EVENTS, after=4) as puller:
        with pytest.raises(StreamReset, match="before the position"):
            await puller.get(1)


async def test_what_had_come_is_still_given_before_the_end(bus: Bus, link: Link) -> None:
    await publish(bus, 0, 3)
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        await come(puller, 3)
        await puller.get(1)
        await api.ask(link.session, "STREAM.DELETE.EVENTS")
        await asyncio.sleep(0.5)

        assert [message.sequence for message in await read(puller, 2)] == [2, 3]
        with pytest.raises(StreamReset):
            await puller.get(1)


async def test_reading_ends_when_the_bus_is_closed(bus: Bus) -> None:
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        waiting = asyncio.create_task(puller.get(1))
        await asyncio.sleep(0.05)

        await bus.close()

        with pytest.raises(BusUnavailable):
            await waiting


async def test_a_closed_puller_gives_what_it_has_and_then_says_so(bus: Bus) -> None:
    await publish(bus, 0, 2)
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        await come(puller, 2)
        await puller.get(1)

    assert [message.sequence for message in await puller.get(5)] == [2]
    with pytest.raises(BusUnavailable, match="closed"):
        await puller.get(1)


async def test_a_reader_that_leaves_leaves_no_consumer_behind(bus: Bus, link: Link) -> None:
    await publish(bus, 0, 3)
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        await puller.get(1)
        assert len(await consumers(link)) == 1

    async def all_gone() -> bool:
        return not await consumers(link)

    await until(all_gone)


async def test_acked_messages_stay_while_there_is_room(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puller, "TRIM_SECONDS", 0.0)
    await publish(bus, 0, 100)
    async with bus.pull(subjects.EVENTS, after=0) as reader:
        await read(reader, 100)
        for sequence in range(1, 101):
            await reader.ack(sequence)
        await asyncio.sleep(0.1)

    assert (await bus.stream_state(subjects.EVENTS)).messages == 100
