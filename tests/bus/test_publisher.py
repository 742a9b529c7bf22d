import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence

import pytest

from angarium.core.bus import api, publisher, subjects
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BadToken, BusFull, BusUnavailable, MessageTooLarge
from angarium.core.bus.feed import Received
from angarium.core.bus.link import Link
from angarium.core.bus.publisher import Publisher
from angarium.core.bus.wire import Outgoing
from tests.parts.nats import PARTITIONS, NatsServer
from tests.parts.waiting import until

SUBJECT = subjects.events_subject("default", "someone")

Connect = Callable[[], Awaitable[Bus]]


async def stored(bus: Bus, stream: str = subjects.EVENTS) -> list[Received]:
    last = (await bus.stream_state(stream)).last_sequence
    found: list[Received] = []
    async with bus.pull(stream, after=0) as puller:
        while not found or found[-1].sequence < last:
            found += await puller.get(1000)
    return found


async def batch_of(link: Link, sequence: int) -> str:
    """The id of the atomic batch in which a message came; empty: it came alone."""
    found = await api.ask(link.session, "STREAM.MSG.GET.EVENTS", {"seq": sequence})
    headers = base64.b64decode(found["message"].get("hdrs", "")).decode()
    ids = [line[15:] for line in headers.splitlines() if line.startswith("Nats-Batch-Id: ")]
    return ids[0] if ids else ""


async def test_many_at_once_are_each_stored_once_and_in_batches(bus: Bus, link: Link) -> None:
    bodies = [str(number).encode() for number in range(700)]

    await asyncio.gather(*(bus.publish(SUBJECT, body) for body in bodies))

    assert sorted(message.body for message in await stored(bus)) == sorted(bodies)
    batches = {await batch_of(link, sequence) for sequence in range(1, 701, 50)}
    assert "" not in batches
    assert len(batches) < 10


async def test_one_alone_is_a_plain_message(bus: Bus, link: Link) -> None:
    await bus.publish(SUBJECT, b"alone")

    assert await batch_of(link, 1) == ""


async def test_those_that_join_go_as_one_message(bus: Bus) -> None:
    bodies = [b'{"batch":[%d]}' % number for number in range(300)]

    await asyncio.gather(*(bus.publish_all([Outgoing(SUBJECT, b, joins=True)]) for b in bodies))

    found = await stored(bus)
    assert len(found) < 10
    assert b",".join(message.body.strip(b"[]") for message in found).count(b"batch") == 300


async def test_those_that_join_are_never_more_than_a_reader_takes(bus: Bus) -> None:
    body = b'"%b"' % (b"x" * 40_000)

    await asyncio.gather(
        *(bus.publish_all([Outgoing(SUBJECT, body, joins=True)]) for _ in "x" * 40)
    )

    assert max(len(message.body) for message in await stored(bus)) <= publisher.JOINED_BYTES


async def test_a_few_go_each_for_itself(bus: Bus, link: Link) -> None:
    await asyncio.gather(*(bus.publish(SUBJECT, b"") for _ in range(publisher.FEW)))

    assert {await batch_of(link, number + 1) for number in range(publisher.FEW)} == {""}


async def test_messages_published_together_are_one_batch_in_their_order(
    bus: Bus, link: Link
) -> None:
    await bus.publish_all([Outgoing(SUBJECT, bytes([number])) for number in range(5)])

    assert [message.body for message in await stored(bus)] == [bytes([n]) for n in range(5)]
    assert len({await batch_of(link, number) for number in range(1, 6)}) == 1


async def test_groups_of_several_callers_share_batches(bus: Bus) -> None:
    groups = [[Outgoing(SUBJECT, b"%d.%d" % (g, m)) for m in range(3)] for g in range(400)]

    await asyncio.gather(*(bus.publish_all(group) for group in groups))

    order = [message.body for message in await stored(bus)]
    assert sorted(order) == sorted(message.body for group in groups for message in group)
    for group in groups:
        start = order.index(group[0].body)
        assert order[start : start + 3] == [message.body for message in group]


async def test_a_list_over_several_streams_and_over_the_limit_is_stored_whole(bus: Bus) -> None:
    decision = subjects.decisions_subject("default")
    messages = [Outgoing(SUBJECT, b"%d" % number) for number in range(2500)]

    await bus.publish_all([*messages, Outgoing(decision, b"a"), Outgoing(decision, b"b")])

    assert [m.body for m in await stored(bus)] == [m.body for m in messages]
    assert [m.body for m in await stored(bus, subjects.DECISIONS)] == [b"a", b"b"]


async def test_nothing_published_is_nothing_stored(bus: Bus) -> None:
    await bus.publish_all([])

    assert (await bus.stream_state(subjects.EVENTS)).last_sequence == 0


async def test_a_repeated_message_id_is_stored_once_and_is_no_error(bus: Bus) -> None:
    for _ in range(3):
        await bus.publish(SUBJECT, b"once", message_id="one")

    assert [message.body for message in await stored(bus)] == [b"once"]


async def test_a_duplicate_in_a_batch_harms_none_of_the_others(bus: Bus) -> None:
    await bus.publish(SUBJECT, b"known", message_id="known")

    await asyncio.gather(
        bus.publish(SUBJECT, b"known", message_id="known"),
        *(bus.publish(SUBJECT, b"%d" % n, message_id=f"m{n}") for n in range(60)),
        *(bus.publish(SUBJECT, b"twin", message_id="twin") for _ in range(3)),
    )

    expected = sorted([b"known", b"twin", *(b"%d" % n for n in range(60))])
    assert sorted(message.body for message in await stored(bus)) == expected


async def test_a_group_published_again_is_completed(bus: Bus) -> None:
    group = [Outgoing(SUBJECT, b"%d" % number, f"m{number}") for number in range(10)]
    await bus.publish_all(group[:4])

    await bus.publish_all(group)

    assert [message.body for message in await stored(bus)] == [message.body for message in group]


async def test_a_cancelled_caller_does_not_hurt_the_others(bus: Bus) -> None:
    callers = [asyncio.create_task(bus.publish(SUBJECT, b"%d" % n)) for n in range(300)]
    await asyncio.sleep(0)
    for caller in callers[::3]:
        caller.cancel()

    outcomes = await asyncio.gather(*callers, return_exceptions=True)

    kept = [n for n in range(300) if n % 3]
    assert [n for n, outcome in enumerate(outcomes) if outcome is None] == kept
    bodies = {message.body for message in await stored(bus)}
    assert {b"%d" % n for n in kept} <= bodies


async def fill(bus: Bus, body: bytes) -> int:
    """Publish until the stream is full; how many were stored."""
    count = 0
    while True:
        try:
            await bus.publish(SUBJECT, body)
        except BusFull:
            return count
        count += 1


async def test_a_full_stream_says_so_and_takes_more_once_it_was_read(bus: Bus) -> None:
    await bus.ensure_streams(partitions=PARTITIONS, max_bytes=2**20)
    count = await fill(bus, bytes(100_000))
    assert count == 10

    with pytest.raises(BusFull, match=r"nats\.max_bytes"):
        await bus.publish_all([Outgoing(SUBJECT, bytes(60_000)) for _ in range(2)])

    async with bus.pull(subjects.EVENTS, after=0) as puller:
        read = 0
        while read < count:
            read += len(await puller.get(100))
        await puller.ack(read)

        async def has_room() -> bool:
            return await fill(bus, bytes(100_000)) > 0

        await until(has_room)

    assert (await bus.stream_state(subjects.EVENTS)).first_sequence > 1


async def test_many_at_a_full_stream_are_all_told(bus: Bus) -> None:
    await bus.ensure_streams(partitions=PARTITIONS, max_bytes=2**20)
    await fill(bus, bytes(100_000))

    outcomes = await asyncio.gather(
        *(bus.publish(SUBJECT, bytes(50_000)) for _ in range(40)), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {BusFull}


async def test_a_full_stream_is_no_reason_to_refuse_another(bus: Bus) -> None:
    await bus.ensure_streams(partitions=PARTITIONS, max_bytes=2**20)
    await fill(bus, bytes(100_000))

    await bus.publish(subjects.decisions_subject("default"), b"{}")

    assert (await bus.stream_state(subjects.DECISIONS)).last_sequence == 1


async def test_too_much_waiting_is_refused_at_once(bus: Bus, link: Link) -> None:
    small = Publisher(link, most_waiting_bytes=10_000)

    outcomes = await asyncio.gather(
        *(small.publish([Outgoing(SUBJECT, bytes(2000))]) for _ in range(10)),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [*[type(None)] * 3, *[BusFull] * 7]
    await small.publish([Outgoing(SUBJECT, bytes(2000))])
    await small.close()


async def test_one_larger_than_the_room_still_goes_when_nothing_else_waits(
    bus: Bus, link: Link
) -> None:
    small = Publisher(link, most_waiting_bytes=10)

    await small.publish([Outgoing(SUBJECT, b"larger than ten bytes")])

    await small.close()


async def test_a_body_of_the_largest_size_is_stored_and_a_larger_one_refused(bus: Bus) -> None:
    await bus.publish(SUBJECT, bytes(bus.largest_body), message_id="m" * 64)

    with pytest.raises(MessageTooLarge, match=str(bus.largest_body)):
        await bus.publish(SUBJECT, bytes(bus.largest_body + 1))

    assert bus.connected
    assert (await bus.stream_state(subjects.EVENTS)).messages == 1


async def test_one_that_the_stream_finds_too_large_harms_none_of_the_others(
    bus: Bus, connect: Connect
) -> None:
    other = await connect()  # another process, with another idea of the largest message
    await other.ensure_streams(partitions=PARTITIONS, max_message_bytes=2000)

    outcomes = await asyncio.gather(
        *(bus.publish(SUBJECT, bytes(3000 if n == 30 else 10)) for n in range(60)),
        return_exceptions=True,
    )

    assert [n for n, outcome in enumerate(outcomes) if outcome is not None] == [30]
    assert isinstance(outcomes[30], MessageTooLarge)
    assert (await bus.stream_state(subjects.EVENTS)).messages == 59


async def test_the_largest_message_of_the_streams_is_kept_to(bus: Bus) -> None:
    await bus.ensure_streams(partitions=PARTITIONS, max_message_bytes=4000)

    with pytest.raises(MessageTooLarge, match=str(bus.largest_body)):
        await bus.publish(SUBJECT, bytes(4000))
    await bus.publish(SUBJECT, bytes(bus.largest_body), message_id="m" * 64)


@pytest.mark.parametrize("odd", ["angarium.events.default." + "x" * 5000, "angarium.events.a b.c"])
async def test_an_odd_subject_is_refused_before_the_network(bus: Bus, odd: str) -> None:
    with pytest.raises(BadToken):
        await bus.publish(odd, b"")
    with pytest.raises(BadToken):
        await bus.notify(odd)

    await bus.publish(SUBJECT, b"the connection still lives")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [Outgoing(SUBJECT, b"")] * 1001,
        [Outgoing(SUBJECT, b""), Outgoing(subjects.decisions_subject("default"), b"")],
    ],
)
async def test_one_group_is_of_one_stream_and_of_a_batch(
    link: Link, messages: Sequence[Outgoing]
) -> None:
    with pytest.raises(ValueError, match="of one stream"):
        await Publisher(link).publish(messages)


async def test_publishing_without_a_server_fails_at_once(bus: Bus, nats_server: NatsServer) -> None:
    waiting = [asyncio.create_task(bus.publish(SUBJECT, b"%d" % n)) for n in range(200)]
    await asyncio.sleep(0)
    await nats_server.kill()

    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {BusUnavailable, type(None)}
    with pytest.raises(BusUnavailable):
        await bus.publish(SUBJECT, b"")


async def test_publishing_to_a_missing_stream_is_unavailable(connect: Connect) -> None:
    bus = await connect()

    with pytest.raises(BusUnavailable):
        await bus.publish(SUBJECT, b"")
    with pytest.raises(BusUnavailable):
        await bus.publish_all([Outgoing(SUBJECT, b"")] * 3)


async def test_a_closed_bus_finishes_what_it_has_and_takes_no_more(
    bus: Bus, connect: Connect
) -> None:
    going = [asyncio.create_task(bus.publish(SUBJECT, b"")) for _ in range(100)]
    await asyncio.sleep(0)

    await bus.close()

    assert await asyncio.gather(*going) == [None] * 100
    with pytest.raises(BusUnavailable):
        await bus.publish(SUBJECT, b"")
    other = await connect()
    assert (await other.stream_state(subjects.EVENTS)).messages == 100
