"""Providers with one thing wrong each; the tests choose which is registered."""

from typing import Any, ClassVar

import msgspec

from angarium.plugins import Accepted, Message, Provider


class Nothing(msgspec.Struct):
    pass


class Good(Provider):
    name: ClassVar[str] = "sms_good"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = Nothing

    def __init__(self, settings: Nothing) -> None: ...

    async def send(self, message: Message) -> Accepted:
        return Accepted(provider_id="1")


class BadName(Good):
    name: ClassVar[str] = "SMS good"


class NoSettings(Good):
    Settings: ClassVar[Any] = None


class NotAwaited(Good):
    def send(self, message: Message) -> Any:
        return Accepted(provider_id="1")


class Bare:
    name = "sms_bare"
    channel = "sms"
    Settings = Nothing

    async def open(self) -> None: ...

    async def send(self, message: Message) -> Accepted:
        return Accepted(provider_id="1")


class OnNoChannel(Good):
    channel: ClassVar[str] = "pigeon"
