"""A provider as the caller has it: its section read, opened, and closed at the end."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from angarium.plugins import Provider
from angarium.plugins.settings import decode_settings

NOBODY: Final = "http://127.0.0.1:1"
"""Where nobody listens."""

P = TypeVar("P", bound=Provider)


def built(kind: type[P], section: Mapping[str, object]) -> P:
    """A provider of this section. Raises SettingsInvalid."""
    return kind(decode_settings(kind.Settings, section, "channels"))


@asynccontextmanager
async def opened(kind: type[P], section: Mapping[str, object]) -> AsyncGenerator[P, None]:
    """The same, opened while the block lasts."""
    provider = built(kind, section)
    await provider.open()
    try:
        yield provider
    finally:
        await provider.close()
