import asyncio
import socket

import pytest

from angarium.core.bus.errors import BusUnavailable
from angarium.core.bus.link import Link
from tests.parts.nats import NatsServer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_without_a_server_opening_ends_with_a_hint() -> None:
    link = Link(f"nats://127.0.0.1:{free_port()}", "test")

    with pytest.raises(BusUnavailable, match=r"nats\.url"):
        await link.open(0.3)

    assert not link.connected


async def test_a_wrong_token_is_no_connection(nats_server: NatsServer) -> None:
    port = nats_server.url.rpartition(":")[2]
    link = Link(f"nats://wrong@127.0.0.1:{port}", "test")

    with pytest.raises(BusUnavailable) as refusal:
        await link.open(0.5)

    assert "wrong" not in str(refusal.value)


async def test_of_several_servers_one_that_answers_is_enough(nats_server: NatsServer) -> None:
    link = Link(f"nats://127.0.0.1:{free_port()}, {nats_server.url}", "test")

    await link.open(5)

    assert link.connected
    await link.close()


async def test_a_server_that_comes_late_is_waited_for(nats_server: NatsServer) -> None:
    await nats_server.kill()
    link = Link(nats_server.url, "test")
    opening = asyncio.create_task(link.open(20))
    await asyncio.sleep(0.1)

    await nats_server.start()

    await opening
    assert link.connected
    await link.close()


async def test_a_connection_closed_by_the_server_for_an_error_comes_back(link: Link) -> None:
    session = link.session
    client = session._client
    await client._send_command(b"PUB " + b"x" * 5000 + b" 0\r\n\r\n")
    await client._flush_pending()

    await session.lost

    assert await link.next_session() is not session
    await link.session.flush(5)


async def test_what_waits_is_told_at_once_when_the_connection_is_lost(
    link: Link, nats_server: NatsServer
) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    waiting = asyncio.create_task(link.session.within(60, never()))
    await asyncio.sleep(0)

    await nats_server.kill()

    with pytest.raises(BusUnavailable, match="lost"):
        await waiting
    assert not link.connected
    with pytest.raises(BusUnavailable):
        _ = link.session


async def test_what_takes_too_long_is_unavailable(link: Link) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(BusUnavailable, match="no answer in time"):
        await link.session.within(0.01, never())
    assert link.connected


async def test_a_request_that_nobody_answers_is_unavailable(link: Link) -> None:
    with pytest.raises(BusUnavailable):
        await link.session.ask("nobody.listens", b"", limit=5)


async def test_nothing_half_sent_is_sent_again_on_the_next_connection(
    link: Link, nats_server: NatsServer
) -> None:
    old = link.session
    await nats_server.kill()
    await old.lost

    with pytest.raises(BusUnavailable):
        await old.send("angarium.deliver.email", b"late")

    await nats_server.start()
    assert await link.next_session() is not old


async def test_a_closed_link_tells_whoever_waits_for_it(nats_server: NatsServer) -> None:
    link = Link(nats_server.url, "test")
    await link.open(5)
    lost = link.session.lost
    await nats_server.kill()
    await lost
    waiting = asyncio.create_task(link.next_session())
    await asyncio.sleep(0)

    await link.close()

    with pytest.raises(BusUnavailable):
        await waiting
