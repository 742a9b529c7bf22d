from angarium.core.bus import subjects
from angarium.core.bus.bus import Bus
from angarium.core.bus.link import Link
from angarium.core.bus.trim import trim
from angarium.core.bus.wire import Outgoing
from tests.parts.nats import PARTITIONS

SUBJECT = subjects.events_subject("default", "someone")


async def fill(bus: Bus, count: int, subject: str = SUBJECT) -> None:
    """About a tenth of a mebibyte each, in a stream of one."""
    await bus.ensure_streams(partitions=PARTITIONS, max_bytes=2**20)
    await bus.publish_all([Outgoing(subject, bytes(100_000)) for _ in range(count)])


async def test_a_stream_that_is_half_empty_keeps_everything(bus: Bus, link: Link) -> None:
    await fill(bus, 5)

    await trim(link.session, subjects.EVENTS, 5, None)

    assert (await bus.stream_state(subjects.EVENTS)).messages == 5


async def test_the_older_half_of_a_fuller_stream_goes(bus: Bus, link: Link) -> None:
    await fill(bus, 8)

    await trim(link.session, subjects.EVENTS, 8, None)

    state = await bus.stream_state(subjects.EVENTS)
    assert (state.first_sequence, state.last_sequence) == (5, 8)


async def test_what_is_not_dealt_with_stays(bus: Bus, link: Link) -> None:
    await fill(bus, 9)

    await trim(link.session, subjects.EVENTS, 2, None)

    assert (await bus.stream_state(subjects.EVENTS)).first_sequence == 3


async def test_other_partitions_stay(bus: Bus, link: Link) -> None:
    of = {}
    for number in range(50):
        token = subjects.person_token(str(number))
        partition = subjects.partition_of("default", token, PARTITIONS)
        of[partition] = subjects.events_subject("default", token)
    await fill(bus, 4, of[0])
    await fill(bus, 4, of[1])

    await trim(link.session, subjects.EVENTS, 8, subjects.events_filter(1))
    assert (await bus.stream_state(subjects.EVENTS)).messages == 8

    await trim(link.session, subjects.EVENTS, 8, subjects.events_filter(0))
    assert (await bus.stream_state(subjects.EVENTS)).messages == 4
