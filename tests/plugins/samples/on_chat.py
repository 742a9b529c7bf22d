"""A second provider on a channel that another plugin brings."""

from typing import ClassVar

import msgspec

from angarium.plugins import Accepted, Message, Provider, hookimpl


class Nothing(msgspec.Struct):
    pass


class ChatOther(Provider):
    name: ClassVar[str] = "chat_other"
    channel: ClassVar[str] = "chat"
    Settings: ClassVar[type] = Nothing

    def __init__(self, settings: Nothing) -> None: ...

    async def send(self, message: Message) -> Accepted:
        return Accepted(provider_id="1")


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [ChatOther]
