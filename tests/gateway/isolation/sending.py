"""Short ways to send to the rogue, and to wait until it may be started again."""

import asyncio
from typing import Any

from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.plugins import Accepted, Message, SmsContent

ADDRESS = "+989121234567"


def message(text: str = "hello", key: str = "dlv_1") -> Message:
    return Message(key=key, address=ADDRESS, content=SmsContent(text=text))


async def send(provider: IsolatedProvider, *texts: str, seconds: float = 30.0) -> list[Any]:
    """Send these at once, as the delivery worker does; what each gave, or raised."""

    async def one(number: int, text: str) -> Accepted:
        async with asyncio.timeout(seconds):
            return await provider.send(message(text, f"dlv_{number}"))

    sends = [one(number, text) for number, text in enumerate(texts)]
    return await asyncio.gather(*sends, return_exceptions=True)


async def rested(provider: IsolatedProvider) -> None:
    """Wait until its process may be started again."""
    while provider.keeper.rest:
        await asyncio.sleep(provider.keeper.rest)
