"""What the kit's classes share: the provider under test, its counterpart, and what is sent."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pytest

from angarium.plugins.failures import InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins.message import Message
from angarium.plugins.provider import Provider
from angarium.plugins.settings import decode_settings
from angarium.plugins.testing.content import default_content


class Outcome(msgspec.Struct, frozen=True):
    """What must be raised for an address that the counterpart treats in its own way."""

    address: str
    raises: type[TemporaryFailure] | type[PermanentFailure] | type[InDoubt]
    address_dead: bool = False


class Harness:
    """Set `provider`; give the fixture `settings` and the method `arrived`."""

    provider: ClassVar[type[Provider]]
    address: ClassVar[str] = "someone@example.org"
    """One that the counterpart accepts."""
    outcomes: ClassVar[Sequence[Outcome]] = ()
    secrets: ClassVar[Sequence[str]] = ()
    """Texts that must never be shown, besides every `Secret` of the settings."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        """The provider's section, pointing at the counterpart; may build on async fixtures."""
        raise NotImplementedError("give a fixture named settings")

    async def arrived(self, message: Message) -> str:
        """The text that the counterpart received for this message."""
        raise NotImplementedError("say what the counterpart received")

    def content(self, text: str) -> Any:
        """Content that holds this text; override for a channel of your own."""
        return default_content(self.provider.channel, text)

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        """A message as the gateway would hand it over."""
        return Message(
            key=key,
            delivery=key,
            address=address or self.address,
            content=self.content(text),
            at=1_790_000_000_000,
            deadline=1_790_003_600_000,
        )

    @pytest.fixture
    async def opened(self, settings: Mapping[str, object]) -> AsyncGenerator[Provider, None]:
        """The provider, opened; closed afterwards."""
        provider = self.build(settings)
        await provider.open()
        yield provider
        await provider.close()

    def build(self, settings: Mapping[str, object]) -> Provider:
        """A provider of this section. Raises SettingsInvalid."""
        return self.provider(decode_settings(self.provider.Settings, settings, "channels"))
