"""One session: bound when needed, bound anew after a loss, never more unanswered than allowed."""

import asyncio
import socket

import pytest

from angarium.plugins import InDoubt, TemporaryFailure
from tests.channels.smpp.parts import TAKEN, UNANSWERED, built, digits, listening, message, provider
from tests.counterparts.smsc import Smsc


async def test_few_messages_are_unanswered_at_once(centre: Smsc) -> None:
    await centre.tell("answer", destination=digits(UNANSWERED), **{"with": "silence"})
    async with provider(centre, window=2, submit_seconds=1) as sms:
        silent = [asyncio.ensure_future(sms.send(message(UNANSWERED))) for _ in range(2)]
        await centre.heard("submit", 2)
        third = asyncio.ensure_future(sms.send(message()))
        ends = await asyncio.gather(*silent, return_exceptions=True)
        await third

    await centre.tell("nothing")
    assert [type(end) for end in ends] == [InDoubt, InDoubt]
    assert [one["destination"] for one in centre.events if one["event"] == "submit"] == [
        *[digits(UNANSWERED)] * 2,
        digits(TAKEN),
    ]


async def test_who_waits_for_a_place_and_is_cut_off_has_sent_nothing(centre: Smsc) -> None:
    await centre.tell("answer", destination=digits(UNANSWERED), **{"with": "silence"})
    async with provider(centre, window=1) as sms:
        silent = asyncio.ensure_future(sms.send(message(UNANSWERED)))
        await centre.heard("submit")
        waiting = asyncio.ensure_future(sms.send(message()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(TemporaryFailure, match="before anything was sent"):
            await waiting
        silent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await silent


async def test_after_a_loss_the_next_message_binds_anew(centre: Smsc) -> None:
    async with provider(centre) as sms:
        await sms.send(message())
        await centre.tell("hang up")
        await centre.heard("gone")
        await asyncio.gather(sms.send(message(key="dlv_2")), return_exceptions=True)
        await sms.send(message(key="dlv_3"))

    await centre.tell("nothing")
    assert centre.count("bind") == 2


async def test_a_loss_leaves_in_doubt_what_was_unanswered_and_nothing_else(centre: Smsc) -> None:
    await centre.tell("answer", destination=digits(UNANSWERED), **{"with": "silence"})
    async with provider(centre, window=2) as sms:
        silent = [asyncio.ensure_future(sms.send(message(UNANSWERED))) for _ in range(2)]
        await centre.heard("submit", 2)
        others = [asyncio.ensure_future(sms.send(message(key=f"dlv_{n}"))) for n in range(30)]
        await asyncio.sleep(0)
        await centre.tell("hang up")
        ends = await asyncio.gather(*silent, return_exceptions=True)
        await asyncio.gather(*others)

    assert [type(end) for end in ends] == [InDoubt, InDoubt]
    assert len(await centre.submits()) == 32


async def test_a_centre_that_unbinds_is_bound_to_anew(centre: Smsc) -> None:
    async with provider(centre) as sms, listening(sms):
        await sms.send(message())
        await centre.tell("unbind")
        await centre.heard("gone")
        await sms.send(message(key="dlv_2"))

    await centre.tell("nothing")
    assert centre.count("bind") == 2


async def test_messages_that_were_never_answered_take_no_place_for_ever(centre: Smsc) -> None:
    await centre.tell("answer", destination=digits(UNANSWERED), **{"with": "silence"})
    async with provider(centre, window=2, submit_seconds=0.2) as sms:
        silent = [sms.send(message(UNANSWERED, key=f"dlv_{n}")) for n in range(7)]
        ends = await asyncio.gather(*silent, return_exceptions=True)
        await sms.send(message())

    assert [type(end) for end in ends] == [InDoubt] * 7
    assert len(await centre.submits()) == 8


async def test_one_session_serves_all(centre: Smsc) -> None:
    async with provider(centre) as sms:
        await asyncio.gather(*(sms.send(message(key=f"dlv_{n}")) for n in range(20)))

    await centre.tell("nothing")
    assert centre.count("bind") == 1
    await centre.heard("unbind")


@pytest.mark.parametrize(
    ("binds", "changes"),
    [
        ({"with": "silence"}, {}),
        ({"with": "refuse", "status": 13}, {}),
        ({"with": "hang up"}, {}),
        ({"with": "accept"}, {"password": "wrong"}),
    ],
)
async def test_a_bind_that_is_refused_or_unanswered_pauses_the_provider(
    centre: Smsc, binds: dict[str, object], changes: dict[str, object]
) -> None:
    await centre.tell("binds", **binds)
    async with provider(centre, bind_seconds=0.5, **changes) as sms:
        with pytest.raises(TemporaryFailure) as caught:
            await sms.send(message())

    assert caught.value.pause
    assert await centre.submits() == []


async def test_all_wait_for_one_attempt_to_bind(centre: Smsc) -> None:
    await centre.tell("binds", **{"with": "silence"})
    async with provider(centre, bind_seconds=0.5, window=2) as sms:
        sends = [sms.send(message(key=f"dlv_{n}")) for n in range(10)]
        ends = await asyncio.gather(*sends, return_exceptions=True)

    await centre.tell("nothing")
    assert [type(end) for end in ends] == [TemporaryFailure] * 10
    assert centre.count("bind") == 1


async def test_a_service_centre_that_is_away_pauses_the_provider() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sms = built(port)
    with pytest.raises(TemporaryFailure, match="unable to connect") as caught:
        await sms.send(message())
    await sms.close()

    assert caught.value.pause


async def test_too_many_messages_a_second_are_told_to_wait(centre: Smsc) -> None:
    await centre.tell("throttle", perSecond=1)
    async with provider(centre) as sms:
        sends = [sms.send(message(key=f"dlv_{n}")) for n in range(5)]
        ends = await asyncio.gather(*sends, return_exceptions=True)

    refused = [end for end in ends if isinstance(end, TemporaryFailure)]
    assert len(refused) == 4
    assert all(end.pause and end.retry_after == 1 for end in refused)


async def test_nothing_is_sent_by_a_closed_provider(centre: Smsc) -> None:
    async with provider(centre) as sms:
        pass
    with pytest.raises(TemporaryFailure, match="closed"):
        await sms.send(message())
