import asyncio
import random
import string
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from angarium.core.bus import api, streams, subjects
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusRefused
from angarium.core.bus.feed import Received
from angarium.core.bus.link import Link
from angarium.core.bus.wire import Outgoing
from tests.parts.nats import PARTITIONS, NatsServer

ENSURE = """
import asyncio, sys
from angarium.core.bus.bus import Bus

async def main():
    bus = await Bus.connect(sys.argv[1], name="other process")
    for _ in range(5):
        await bus.ensure_streams(partitions=4, max_bytes=int(sys.argv[2]))
    await bus.close()

asyncio.run(main())
"""

Connect = Callable[[], Awaitable[Bus]]


async def settings_of(link: Link, stream: str) -> dict[str, object]:
    info = await api.ask(link.session, f"STREAM.INFO.{stream}")
    config: dict[str, object] = info["config"]
    return config


async def test_python_and_the_server_agree_on_partitions(bus: Bus) -> None:
    chance = random.Random(7)
    letters = string.ascii_letters + string.digits + "_-"
    sent = [
        ("".join(chance.choices(letters, k=chance.randint(1, 64))), subjects.person_token(str(i)))
        for i in range(300)
    ]
    sent += [(token, workspace) for workspace, token in sent]
    await bus.publish_all([Outgoing(subjects.events_subject(*pair), b"") for pair in sent])

    stored: list[Received] = []
    async with bus.pull(subjects.EVENTS, after=0) as puller:
        while len(stored) < len(sent):
            stored += await puller.get(100)

    assert [message.subject for message in stored] == [
        f"angarium.events.{subjects.partition_of(*pair, PARTITIONS)}.{pair[0]}.{pair[1]}"
        for pair in sent
    ]
    assert {message.subject.split(".")[2] for message in stored} == {"0", "1", "2", "3"}


async def test_one_partition_is_partition_0(connect: Connect) -> None:
    bus = await connect()
    await bus.ensure_streams(partitions=1)
    await bus.publish(subjects.events_subject("default", "abc"), b"")

    async with bus.pull(subjects.EVENTS, after=0, partition=0) as puller:
        assert [m.subject for m in await puller.get(1)] == ["angarium.events.0.default.abc"]


async def test_making_the_streams_again_changes_nothing(bus: Bus) -> None:
    await bus.publish(subjects.decisions_subject("default"), b"{}")
    before = await bus.stream_state(subjects.DECISIONS)

    await bus.ensure_streams(partitions=PARTITIONS)

    assert await bus.stream_state(subjects.DECISIONS) == before


async def test_each_stream_may_be_full_and_keeps_a_week(bus: Bus, link: Link) -> None:
    for stream in subjects.PATTERNS:
        config = await settings_of(link, stream)

        assert config["max_age"] == 7 * 24 * 3600 * 10**9
        assert config["allow_atomic"] is True
        assert config["storage"] == "file"
        assert config["duplicate_window"] == 120 * 10**9
        assert isinstance(config["max_bytes"], int)
        assert config["max_bytes"] > 0


@pytest.mark.parametrize(
    ("stream", "discard"),
    [
        (subjects.EVENTS, "new"),
        (subjects.DECISIONS, "new"),
        (subjects.FEEDBACK, "new"),
        (subjects.REPORTS, "old"),
        (subjects.REJECTS, "old"),
    ],
)
async def test_what_was_acked_is_never_pushed_out(
    bus: Bus, link: Link, stream: str, discard: str
) -> None:
    assert (await settings_of(link, stream))["discard"] == discard


async def test_a_changed_size_is_taken_over(bus: Bus, link: Link) -> None:
    await bus.ensure_streams(partitions=PARTITIONS, max_bytes=64 * 2**20, max_message_bytes=2**20)

    config = await settings_of(link, subjects.EVENTS)
    assert (config["max_bytes"], config["max_msg_size"]) == (64 * 2**20, 2**20)


async def test_another_number_of_partitions_is_refused_with_the_remedy(bus: Bus) -> None:
    with pytest.raises(BusRefused, match=r"nats\.partitions"):
        await bus.ensure_streams(partitions=PARTITIONS + 1)


async def test_several_processes_make_the_streams_at_once(
    nats_server: NatsServer, connect: Connect, tmp_path: Path
) -> None:
    script = tmp_path / "ensure.py"
    script.write_text(ENSURE)
    others = [
        await asyncio.create_subprocess_exec(sys.executable, script, nats_server.url, str(size))
        for size in (100 * 2**20, 100 * 2**20, 200 * 2**20)
    ]

    assert [await other.wait() for other in others] == [0, 0, 0]

    bus = await connect()
    for stream in subjects.PATTERNS:
        assert (await bus.stream_state(stream)).last_sequence == 0


async def test_many_callers_make_the_streams_at_once(connect: Connect) -> None:
    buses = [await connect() for _ in range(5)]

    await asyncio.gather(*(bus.ensure_streams(partitions=2) for bus in buses))

    assert len({(await bus.stream_state(subjects.EVENTS)).epoch for bus in buses}) == 1


async def test_a_stream_made_anew_has_another_epoch(bus: Bus, link: Link) -> None:
    before = await bus.stream_state(subjects.EVENTS)
    await api.ask(link.session, "STREAM.DELETE.EVENTS")

    await bus.ensure_streams(partitions=PARTITIONS)

    assert (await bus.stream_state(subjects.EVENTS)).epoch != before.epoch


async def test_streams_larger_than_the_disk_are_refused(bus: Bus) -> None:
    with pytest.raises(BusRefused, match=r"nats\.max_bytes"):
        await bus.ensure_streams(partitions=PARTITIONS, max_bytes=2**60)


def test_a_partition_count_is_written_into_the_transform_of_events_only() -> None:
    config = streams.stream_config(
        subjects.EVENTS, partitions=16, max_bytes=2**30, max_message_bytes=2**20
    )

    assert config["subject_transform"] == {
        "src": "angarium.events.*.*",
        "dest": "angarium.events.{{partition(16,1,2)}}.{{wildcard(1)}}.{{wildcard(2)}}",
    }
    assert subjects.stored_subject(subjects.REPORTS, 16) is None
