"""Connections are few, kept while they are good, and ended politely."""

import asyncio

import aiosmtplib
import pytest

from angarium.channels._smtp_pool import Pool
from angarium.channels._smtp_session import Session
from angarium.plugins import TemporaryFailure
from tests.counterparts.smtp_scripted import GOOD, ScriptedSmtp, scripted_smtp


def pool_on(server: ScriptedSmtp, *, size: int = 1, idle_seconds: float = 60.0) -> Pool:
    async def connect() -> Session:
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=server.port, local_hostname="test", start_tls=False
        )
        session = Session(client, command_seconds=10, final_seconds=10)
        await session.connect(seconds=10)
        return session

    return Pool(connect, size=size, messages_per_connection=100, idle_seconds=idle_seconds)


async def test_an_idle_connection_is_ended_with_quit() -> None:
    async with scripted_smtp({}) as server:
        pool = pool_on(server, idle_seconds=0.01)
        async with pool.session():
            assert "QUIT" not in server.commands
        await server.left.wait()

        assert server.commands == ["EHLO test", "QUIT"]
        await pool.close()


async def test_a_connection_that_the_server_ended_is_replaced() -> None:
    async with scripted_smtp({}) as server:
        pool = pool_on(server)
        async with pool.session() as first:
            pass
        first.abort()
        async with pool.session() as second:
            assert second is not first

        assert server.connected == 2
        await pool.close()


async def test_the_connection_used_last_is_used_first() -> None:
    async with scripted_smtp({}) as server:
        pool = pool_on(server, size=2)
        async with pool.session() as first, pool.session() as second:
            assert first is not second
        async with pool.session() as third:
            assert third is first
        await pool.close()


async def test_who_finds_no_free_connection_waits_for_one() -> None:
    async with scripted_smtp({}) as server:
        pool = pool_on(server)
        async with pool.session():
            waiting = asyncio.ensure_future(pool.session().__aenter__())
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting

        assert server.connected == 1
        await pool.close()


async def test_a_failed_connection_frees_its_place() -> None:
    async with scripted_smtp({"connect": b"421 busy"}) as server:
        pool = pool_on(server)
        with pytest.raises(TemporaryFailure):
            async with pool.session():
                pass
        async with pool.session():
            pass

        assert server.connected == 2
        await pool.close()


async def test_a_connection_in_use_when_the_pool_closes_ends_when_it_comes_back() -> None:
    async with scripted_smtp({}) as server:
        pool = pool_on(server)
        async with pool.session() as session:
            await pool.close()
            assert session.usable
        await server.left.wait()

        assert server.commands[-1] == "QUIT"
        assert GOOD["QUIT"].startswith(b"221")
