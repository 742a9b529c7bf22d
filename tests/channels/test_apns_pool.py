"""Places on connections: one is opened for all who wait, and no place is ever lost."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
from h2.settings import SettingCodes

from angarium.channels._apns_connection import Connection
from angarium.channels._apns_pool import Pool
from angarium.plugins import TemporaryFailure
from tests.counterparts.h2_scripted import H2Scripted, answers, goaway, h2_scripted, says_nothing

HEAD = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"x"), (b":path", b"/")]


@pytest.fixture
async def server() -> AsyncGenerator[H2Scripted, None]:
    async with h2_scripted() as scripted:
        yield scripted


class Plain:
    """Opens connections without TLS, and may be told to fail."""

    def __init__(self, server: H2Scripted) -> None:
        self.server = server
        self.attempts = 0
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, changed: Callable[[], None]) -> Connection:
        self.attempts += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        connection = Connection(changed, ping_seconds=60)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, "127.0.0.1", self.server.port)
        await connection.ready.wait()
        return connection


@pytest.fixture
async def plain(server: H2Scripted) -> Plain:
    return Plain(server)


@pytest.fixture
async def pool(plain: Plain) -> AsyncGenerator[Pool, None]:
    pool = Pool(plain, size=1, answer_seconds=30)
    yield pool
    await pool.close()


def ask(pool: Pool) -> "asyncio.Task[object]":
    return asyncio.ensure_future(pool.exchange(HEAD, b"{}"))


async def test_all_who_come_at_once_share_one_connection(pool: Pool, plain: Plain) -> None:
    await asyncio.gather(*(ask(pool) for _ in range(50)))

    assert plain.attempts == 1


async def test_all_who_wait_for_a_connection_that_fails_fail_with_it(
    pool: Pool, plain: Plain
) -> None:
    plain.failure = TemporaryFailure("push_apns: away", 10, pause=True)
    ends = await asyncio.gather(*(ask(pool) for _ in range(5)), return_exceptions=True)

    assert len({id(end) for end in ends}) == 5
    assert all(isinstance(end, TemporaryFailure) and end.pause for end in ends)
    assert plain.attempts == 1

    plain.failure = None
    await ask(pool)


async def test_who_is_cut_off_while_connecting_takes_nobody_along(pool: Pool, plain: Plain) -> None:
    plain.gate.clear()
    first, *others = [ask(pool) for _ in range(3)]
    while not plain.attempts:
        await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(TemporaryFailure, match="cut off before the message was sent"):
        await first

    plain.gate.set()
    await asyncio.gather(*others)


async def test_those_without_a_place_wait_for_one(server: H2Scripted, pool: Pool) -> None:
    server.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 4}

    await asyncio.gather(*(ask(pool) for _ in range(50)))

    assert len(server.bodies) == 50
    assert server.most_at_once <= 4


async def test_a_place_meant_for_one_who_is_cut_off_goes_to_the_next(
    server: H2Scripted, pool: Pool
) -> None:
    server.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    server.reply = says_nothing

    async def hold() -> None:
        await pool.exchange(HEAD, b"{}")
        second.cancel()  # in the turn of the loop in which it was given the place

    holder = asyncio.ensure_future(hold())
    await server.heard.wait()
    second, third = ask(pool), ask(pool)
    await asyncio.sleep(0)

    server.reply = answers(200)
    answers(200)(server.sessions[0], 1)
    server.sessions[0].flush()
    await holder
    with pytest.raises(TemporaryFailure, match="cut off before the message was sent"):
        await second
    await third


async def test_those_who_wait_move_on_when_the_server_goes_away(
    server: H2Scripted, pool: Pool, plain: Plain
) -> None:
    server.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    server.reply = says_nothing
    holder = ask(pool)
    await server.heard.wait()
    waiting = [ask(pool) for _ in range(3)]
    await asyncio.sleep(0)

    server.reply = answers(200)
    server.sessions[0].say(goaway(1))
    await asyncio.gather(*waiting)
    assert not holder.done()

    answers(200)(server.sessions[0], 1)
    server.sessions[0].flush()
    await holder
    assert plain.attempts == 2


async def test_those_who_wait_move_on_when_the_connection_is_lost(
    server: H2Scripted, pool: Pool
) -> None:
    server.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    server.reply = says_nothing
    holder = ask(pool)
    await server.heard.wait()
    waiting = [ask(pool) for _ in range(3)]
    await asyncio.sleep(0)

    server.reply = answers(200)
    server.sessions[0].cut()
    await asyncio.gather(*waiting)
    assert holder.exception() is not None


async def test_closing_ends_the_waiting(server: H2Scripted, pool: Pool, plain: Plain) -> None:
    plain.gate.clear()
    connecting = ask(pool)
    while not plain.attempts:
        await asyncio.sleep(0)
    await pool.close()
    with pytest.raises(TemporaryFailure):
        await connecting
    with pytest.raises(TemporaryFailure, match="is closed"):
        await ask(pool)


async def test_closing_ends_the_waiting_for_a_place(server: H2Scripted, pool: Pool) -> None:
    server.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    server.reply = says_nothing
    holder = ask(pool)
    await server.heard.wait()
    waiting = ask(pool)
    await asyncio.sleep(0)

    await pool.close()
    with pytest.raises(TemporaryFailure, match="is closed"):
        await waiting
    assert holder.exception() is not None
