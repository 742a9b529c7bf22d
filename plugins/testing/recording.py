"""A provider that sends nothing and remembers all."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

import msgspec

from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.message import Accepted, Message
from angarium.plugins.provider import Provider


class RecordingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to set."""


class RecordingProvider(Provider):
    """Sends nothing, remembers all: `messages`. Replace `answer` to fail, or to take its time.

    Subclass it with another `name` and `channel` where email will not do. Its callbacks are JSON
    arrays of status updates, unsigned.
    """

    name: ClassVar[str] = "email_recorder"
    channel: ClassVar[str] = "email"
    Settings: ClassVar[type] = RecordingSettings

    def __init__(self, settings: RecordingSettings | None = None) -> None:
        self.messages: list[Message] = []
        self.answer: Callable[[Message], Awaitable[Accepted]] = accept
        self.open_count = 0
        self.close_count = 0

    async def open(self) -> None:
        self.open_count += 1

    async def send(self, message: Message) -> Accepted:
        self.messages.append(message)
        return await self.answer(message)

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        return msgspec.json.decode(request.body, type=list[StatusUpdate])

    async def close(self) -> None:
        self.close_count += 1


async def accept(message: Message) -> Accepted:
    """The answer of a provider that takes everything."""
    return Accepted(provider_id=f"recorded-{message.key}")
