"""What every provider's section may hold, whoever made the provider: who sends, and how much."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from angarium.plugins.settings import SettingsInvalid, decode_settings, suggestion

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """What every provider's section may hold, beside the provider's own settings."""

    provider: str = ""
    """The installed provider, where the section has a name of its own: a second account, say."""
    order: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    """1 is asked first; a later one only while all before it are in trouble, and those of the same
    order share the messages. Unset: its place among the channel's sections."""
    weight: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    """Its share among those of the same order; 0 sends nothing, and still hears what became of
    what it sent before."""
    per_second: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 0.0
    """Messages a second, of all processes together; 0 is no limit."""
    platforms: tuple[str, ...] = ()
    """Types of device that it sends to, of those that the provider can: android, ios, web."""


FIELDS = frozenset(Routing.__struct_fields__)
"""A provider's own settings have other names."""


def read_section(name: str, section: Mapping[str, object]) -> tuple[Routing, dict[str, object]]:
    """What is common to all providers, and the provider's own. Raises SettingsInvalid."""
    where = f"channels.{name}"
    common: dict[str, Any] = {key: value for key, value in section.items() if key in FIELDS}
    own = {key: value for key, value in section.items() if key not in FIELDS}
    platforms = common.get("platforms")
    if isinstance(platforms, str):  # the environment holds nothing but text
        common["platforms"] = [word.strip() for word in platforms.split(",") if word.strip()]
    routing: Routing = decode_settings(Routing, common, where)
    if not _NAME.fullmatch(name):
        detail = "a section's name is of small letters, digits and _ after a letter, 64 at most"
        raise SettingsInvalid([(where, detail)])
    return routing, own


def installed_name(name: str, routing: Routing, installed: Mapping[str, object]) -> str:
    """The provider that a section is for. Raises SettingsInvalid where that is not clear."""
    wanted = routing.provider or name
    if routing.provider and routing.provider not in installed:
        detail = "no installed plugin has it" + suggestion(routing.provider, list(installed))
        raise SettingsInvalid([(f"channels.{name}.provider", detail)])
    if wanted != name and name in installed:
        detail = f"{name} is another installed provider: give the section another name"
        raise SettingsInvalid([(f"channels.{name}.provider", detail)])
    return wanted
