"""The access token of FCM: fetched once for all, ahead of time, and anew when it was refused."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from angarium.channels._fcm_account import parse_account
from angarium.channels._fcm_token import TokenSource
from angarium.channels._http import Http
from angarium.plugins import TemporaryFailure
from tests.channels.push_messages import AT, MINUTE
from tests.counterparts.fcm import Fcm, fcm_server


@pytest.fixture
async def fcm() -> AsyncGenerator[Fcm, None]:
    async with fcm_server() as server:
        yield server


@asynccontextmanager
async def source(fcm: Fcm, *, seconds: float = 30.0) -> AsyncGenerator[TokenSource, None]:
    http = Http("push_fcm", connect_seconds=seconds, answer_seconds=seconds)
    tokens = TokenSource(parse_account(fcm.account()), http)
    try:
        yield tokens
    finally:
        await tokens.close()
        await http.close()


async def test_fifty_who_need_a_token_at_once_share_one_request(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        given = await asyncio.gather(*(tokens.token(AT + n) for n in range(50)))

    assert set(given) == {"ya29.1"}
    [said] = fcm.assertions
    assert (said["iat"], said["exp"]) == (1_790_000_000, 1_790_003_600)


async def test_it_is_renewed_after_fifty_minutes_while_the_old_one_serves(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        await tokens.token(AT)
        await tokens.token(AT + 49 * MINUTE)
        assert len(fcm.assertions) == 1

        fcm.gate.clear()
        fcm.now += 50 * 60
        given = await asyncio.gather(*(tokens.token(AT + 50 * MINUTE + n) for n in range(20)))
        assert set(given) == {"ya29.1"}

        fcm.gate.set()
        while await tokens.token(AT + 51 * MINUTE) == "ya29.1":
            await asyncio.sleep(0)
    assert len(fcm.assertions) == 2


async def test_a_renewal_that_fails_ahead_of_time_harms_nobody(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        await tokens.token(AT)
        fcm.now += 52 * 60
        fcm.token_answer = (503, {}, {})
        at = AT + 52 * MINUTE
        while len(fcm.assertions) < 2:
            assert await tokens.token(at) == "ya29.1"
            await asyncio.sleep(0)
        for second in range(59):
            assert await tokens.token(at + second * 1000) == "ya29.1"
            await asyncio.sleep(0.005)  # time for a request that must not be made
        assert len(fcm.assertions) == 2

        fcm.token_answer = None
        while await tokens.token(at + 2 * MINUTE) == "ya29.1":
            await asyncio.sleep(0)
    assert len(fcm.assertions) == 3


async def test_one_that_has_run_out_is_waited_for(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        await tokens.token(AT)
        fcm.now += 59 * 60

        given = await asyncio.gather(*(tokens.token(AT + 59 * MINUTE) for _ in range(5)))

    assert given == ["ya29.2"] * 5


async def test_one_that_was_refused_is_fetched_anew_once(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        refused = await tokens.token(AT)
        for _ in range(10):
            tokens.forget(refused)
            assert await tokens.token(AT) == "ya29.2"

    assert len(fcm.assertions) == 2


async def test_a_clock_that_was_set_back_keeps_the_token(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        await tokens.token(AT)
        await tokens.token(AT - 600 * MINUTE)

    assert len(fcm.assertions) == 1


@pytest.mark.parametrize(
    ("reply", "reason", "wait"),
    [
        ((400, {"error": "invalid_grant"}, {}), "check service_account and this machine's", 300),
        ((401, {"error": "invalid_client"}, {}), "no access token", 300),
        ((302, {}, {"Location": "/elsewhere"}), "no access token", 300),
        ((500, {}, {}), "token endpoint is busy", 10),
        ((429, {}, {"Retry-After": "33"}), "token endpoint is busy", 33),
        ((200, {"token_type": "Bearer"}, {}), "cannot be read", 10),
    ],
)
async def test_no_access_token_pauses_the_provider(
    fcm: Fcm, reply: Any, reason: str, wait: float
) -> None:
    fcm.token_answer = reply
    async with source(fcm) as tokens:
        ends = await asyncio.gather(*(tokens.token(AT) for _ in range(10)), return_exceptions=True)

    for end in ends:
        assert isinstance(end, TemporaryFailure)
        assert reason in end.reason
        assert (end.pause, end.retry_after) == (True, wait)
    assert len({id(end) for end in ends}) == 10
    assert len(fcm.assertions) == 1


async def test_the_endpoints_clock_and_ours_must_agree(fcm: Fcm) -> None:
    async with source(fcm) as tokens:
        with pytest.raises(TemporaryFailure, match="this machine's clock"):
            await tokens.token(AT + 10 * MINUTE)


async def test_an_endpoint_that_is_silent_leaves_nobody_in_doubt(fcm: Fcm) -> None:
    fcm.gate.clear()
    async with source(fcm, seconds=0.5) as tokens:
        with pytest.raises(TemporaryFailure, match="did not answer") as caught:
            await tokens.token(AT)

    assert caught.value.pause


async def test_who_is_cut_off_takes_nobody_along(fcm: Fcm) -> None:
    fcm.gate.clear()
    async with source(fcm) as tokens:
        first, *others = [asyncio.ensure_future(tokens.token(AT)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(TemporaryFailure, match="cut off before the message was sent"):
            await first

        fcm.gate.set()
        assert await asyncio.gather(*others) == ["ya29.1"] * 2


async def test_it_may_be_closed_while_a_token_is_fetched(fcm: Fcm) -> None:
    fcm.gate.clear()
    async with source(fcm) as tokens:
        waiting = asyncio.ensure_future(tokens.token(AT))
        await asyncio.sleep(0)
        await tokens.close()
        with pytest.raises(TemporaryFailure):
            await waiting
