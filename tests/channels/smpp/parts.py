"""A provider at the service centre, and messages for it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from angarium.channels.sms_smpp import SmsSmpp, SmsSmppSettings
from angarium.plugins import Message, SmsContent, StatusUpdate
from angarium.plugins.settings import decode_settings
from tests.counterparts.smsc import PASSWORD, SYSTEM_ID, Smsc

TAKEN = "+989121234567"
UNANSWERED = "+989120000004"


def digits(address: str) -> str:
    return address.removeprefix("+")


def section(port: int, **changes: object) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "system_id": SYSTEM_ID,
        "password": PASSWORD,
        "from": "+983000123",
        **changes,
    }


def built(port: int, **changes: object) -> SmsSmpp:
    return SmsSmpp(decode_settings(SmsSmppSettings, section(port, **changes), "channels"))


@asynccontextmanager
async def provider(centre: Smsc, **changes: object) -> AsyncGenerator[SmsSmpp, None]:
    sms = built(centre.port, **changes)
    await sms.open()
    try:
        yield sms
    finally:
        await sms.close()


@asynccontextmanager
async def listening(sms: SmsSmpp) -> AsyncGenerator["asyncio.Queue[StatusUpdate]", None]:
    updates: asyncio.Queue[StatusUpdate] = asyncio.Queue()
    task = asyncio.create_task(sms.listen(updates.put))
    try:
        yield updates
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def message(
    address: str = TAKEN, text: str = "سلام", key: str = "dlv_1", **changes: Any
) -> Message:
    return Message(key=key, address=address, content=SmsContent(text=text), **changes)
