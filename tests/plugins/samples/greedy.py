"""A plugin whose provider has a setting that every section has."""

from typing import ClassVar

import msgspec

from angarium.plugins import Provider, hookimpl


class GreedySettings(msgspec.Struct):
    weight: int = 0


class Greedy(Provider):
    name: ClassVar[str] = "sms_greedy"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = GreedySettings


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [Greedy]
