"""What a service centre tells later: receipts, and answers of people."""

import asyncio
from typing import Any

import pytest

from angarium.plugins import StatusUpdate, TemporaryFailure
from angarium.plugins.provider import Listening
from tests.channels.smpp.parts import (
    TAKEN,
    UNANSWERED,
    built,
    digits,
    listening,
    message,
    provider,
)
from tests.counterparts.smsc import Smsc

RECEIPTS = [
    ("DELIVRD", "delivered", ""),
    ("EXPIRED", "expired", "sms_smpp: EXPIRED"),
    ("UNDELIV", "undelivered", "sms_smpp: UNDELIV"),
    ("DELETED", "undelivered", "sms_smpp: DELETED"),
    ("REJECTD", "undelivered", "sms_smpp: REJECTD"),
    ("ACCEPTD", "accepted", ""),
]


def old_receipt() -> dict[str, Any]:
    """The receipt of a message that was sent before the session began."""
    text = "id:OLD sub:001 dlvrd:001 submit date:2611220900 done date:2611220901 stat:DELIVRD"
    return {
        "source_addr": "989121234567",
        "destination_addr": "983000123",
        "esm_class": 4,
        "short_message": {"hex": text.encode().hex()},
    }


@pytest.mark.parametrize(("word", "status", "reason"), RECEIPTS)
async def test_a_receipt_tells_what_became_of_a_message(
    centre: Smsc, word: str, status: Any, reason: str
) -> None:
    await centre.tell("receipts", state=word)
    async with provider(centre) as sms, listening(sms) as updates:
        id = (await sms.send(message())).provider_id
        update = await updates.get()

    assert update == StatusUpdate(
        status=status, provider_id=id, key="dlv_1", id=f"{id}/{word}", reason=reason
    )


async def test_a_receipt_may_come_before_the_answer(centre: Smsc) -> None:
    await centre.tell("answer", destination=digits(TAKEN), **{"with": "receipt first"})
    async with provider(centre) as sms, listening(sms) as updates:
        accepted = await sms.send(message())
        update = await updates.get()

    assert update.provider_id == accepted.provider_id


async def test_a_receipt_waits_for_no_message_that_is_under_way(centre: Smsc) -> None:
    await centre.tell("answer", destination=digits(UNANSWERED), **{"with": "silence"})
    async with provider(centre) as sms, listening(sms) as updates:
        silent = asyncio.ensure_future(sms.send(message(UNANSWERED)))
        await centre.heard("submit")
        await centre.tell("deliver", pdu=old_receipt())
        update = await updates.get()
        assert not silent.done()
        silent.cancel()
        await asyncio.gather(silent, return_exceptions=True)

    assert update.provider_id == "OLD"


async def test_receipts_that_wait_are_reported_together(centre: Smsc) -> None:
    """One after the other, they would fall behind a centre that sends hundreds a second."""
    under_way: list[int] = [0]
    heard = asyncio.Semaphore(0)

    async def report(_update: StatusUpdate) -> None:
        under_way.append(under_way[-1] + 1)
        await asyncio.sleep(0.005)
        under_way.append(under_way[-1] - 1)
        heard.release()

    await centre.tell("receipts", state="DELIVRD")
    async with provider(centre) as sms:
        await asyncio.gather(*(sms.send(message(key=f"dlv_{n}")) for n in range(100)))
        await centre.heard("acknowledged", 100)
        task = asyncio.ensure_future(sms.listen(report))
        for _ in range(100):
            await heard.acquire()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert max(under_way) > 1


@pytest.mark.parametrize(("in_answers", "style"), [("hex", "decimal"), ("decimal", "hex")])
async def test_ids_may_be_written_in_two_ways(centre: Smsc, in_answers: str, style: str) -> None:
    await centre.tell("receipts", state="DELIVRD")
    await centre.tell("ids", **{"with": in_answers})
    async with provider(centre, receipt_ids=style) as sms, listening(sms) as updates:
        for n in range(12):
            accepted = await sms.send(message(key=f"dlv_{n}"))
            update = await updates.get()
            assert (update.provider_id, update.key) == (accepted.provider_id, f"dlv_{n}")


async def test_many_receipts_that_nobody_hears_stop_no_message(centre: Smsc) -> None:
    await centre.tell("receipts", state="DELIVRD")
    async with provider(centre) as sms:
        await asyncio.gather(*(sms.send(message(key=f"dlv_{n}")) for n in range(300)))
        await centre.heard("acknowledged", 300)
        async with listening(sms) as updates:
            heard = [await updates.get() for _ in range(300)]

    assert {update.key for update in heard} == {f"dlv_{n}" for n in range(300)}


async def test_who_listens_is_bound_before_anything_is_sent(centre: Smsc) -> None:
    async with provider(centre) as sms, listening(sms) as updates:
        await centre.heard("bind")
        await centre.tell("deliver", pdu=old_receipt())
        update = await updates.get()

    assert (update.status, update.provider_id, update.key) == ("delivered", "OLD", "")


async def test_listening_ends_with_the_session_and_may_begin_again(centre: Smsc) -> None:
    await centre.tell("receipts", state="DELIVRD")
    async with provider(centre) as sms:
        updates: asyncio.Queue[StatusUpdate] = asyncio.Queue()
        first = asyncio.ensure_future(sms.listen(updates.put))
        await centre.heard("bind")
        await centre.tell("hang up")
        await first
        async with listening(sms) as again:
            await centre.heard("bind", 2)
            await sms.send(message())
            assert (await again.get()).status == "delivered"


async def test_who_listens_is_told_when_no_connection_can_be_made(centre: Smsc) -> None:
    await centre.tell("binds", **{"with": "silence"})
    async with provider(centre, bind_seconds=0.3) as sms:
        with pytest.raises(TemporaryFailure):
            await sms.listen(asyncio.Queue[StatusUpdate]().put)


async def test_who_listens_can_be_stopped(centre: Smsc) -> None:
    await centre.tell("binds", **{"with": "silence"})
    async with provider(centre) as sms:
        task = asyncio.ensure_future(sms.listen(asyncio.Queue[StatusUpdate]().put))
        await centre.heard("bind")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("source", "ton", "body", "extra", "address"),
    [
        ("989121234567", 1, "لغو".encode("utf-16-be"), {"data_coding": 8}, TAKEN),
        ("09121234567", 2, "لغو۱۱".encode("utf-16-be"), {"data_coding": 8}, TAKEN),
        ("09121234567", 0, b"STOP", {"data_coding": 0}, TAKEN),
        ("9121234567", 2, b"STOP", {"data_coding": 0}, TAKEN),
        ("989121234567", 2, b"STOP", {"data_coding": 0}, TAKEN),
        ("+989121234567", 0, b"STOP", {"data_coding": 0}, TAKEN),
        ("989121234567", 0, b"Stop", {"data_coding": 3}, TAKEN),
        (
            "989121234567",
            1,
            b"",
            {"data_coding": 0, "message_payload": {"hex": b"stop".hex()}},
            TAKEN,
        ),
    ],
)
async def test_an_answer_by_which_somebody_opts_out_names_who(
    centre: Smsc, source: str, ton: int, body: bytes, extra: dict[str, Any], address: str
) -> None:
    pdu = {
        "source_addr": source,
        "source_addr_ton": ton,
        "destination_addr": "983000123",
        "short_message": {"hex": body.hex()},
        **extra,
    }
    other = {**pdu, "data_coding": 0, "short_message": {"hex": b"thanks".hex()}}
    other.pop("message_payload", None)
    async with provider(centre) as sms, listening(sms) as updates:
        await centre.heard("bind")
        await centre.tell("deliver", pdu=other)
        await centre.tell("deliver", pdu=pdu)
        update = await updates.get()

    assert (update.status, update.address) == ("unsubscribed", address)
    assert update.id


def test_it_is_known_by_its_method_that_it_listens() -> None:
    assert isinstance(built(2775), Listening)
