"""A good one: a new channel, a provider on it, and a filter."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from angarium.plugins import Accepted, Channel, Message, Provider, hookimpl
from angarium.plugins.settings import Secret


class ChatContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Secret
    url: str = "https://chat.example.org"

    def __post_init__(self) -> None:
        if not self.url.startswith("https://"):
            raise ValueError("url: must begin with https://")


class ChatSample:
    """Inherits from nothing: the protocol is what counts."""

    name: ClassVar[str] = "chat_sample"
    channel: ClassVar[str] = "chat"
    Settings: ClassVar[type] = ChatSettings

    def __init__(self, settings: ChatSettings) -> None:
        if settings.token.reveal() == "too short":
            raise ValueError("token: has at least 20 letters")
        self.settings = settings

    async def open(self) -> None: ...

    async def send(self, message: Message) -> Accepted:
        return Accepted(provider_id=message.key)

    def parse_callback(self, request: Any) -> tuple[()]:
        return ()

    async def close(self) -> None: ...


@hookimpl
def register_channels() -> list[Channel]:
    return [
        Channel(
            name="chat",
            consent_attribute="chat_opt_in",
            consent_default="unset",
            address_attribute="chat_id",
            address_kind="chat_id",
            content=ChatContent,
        )
    ]


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [ChatSample]


@hookimpl
def register_template_filters() -> Mapping[str, Callable[..., Any]]:
    return {"shout": str.upper}
