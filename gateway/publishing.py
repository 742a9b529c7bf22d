"""Hand something to the stream, or refuse with 503: what was answered with 200 is durable."""

from typing import Any, Final, Protocol

import msgspec

from angarium.core.bus.errors import BusFull, BusUnavailable
from angarium.gateway.problems import Problem, Refusal, retry_after

AGAIN_SECONDS: Final = 2
FULL_SECONDS: Final = 30


class Publisher(Protocol):
    """The part of the bus that doors use."""

    async def publish(self, subject: str, body: bytes, *, message_id: str | None = None) -> None:
        """Durable when it returns."""
        ...


async def publish(bus: Publisher, subject: str, body: Any) -> None:
    """Put `body`, as JSON, on the stream. Refuses with 503 what could not be stored."""
    try:
        await bus.publish(subject, msgspec.json.encode(body))
    except BusUnavailable as error:
        raise Refusal(Problem.UNAVAILABLE, headers=retry_after(AGAIN_SECONDS)) from error
    except BusFull as error:
        raise Refusal(Problem.UNAVAILABLE, headers=retry_after(FULL_SECONDS)) from error
