"""The conformance kit: what holds for every provider, as tests that its author runs too.

Needs pytest, and anyio (whose pytest plugin runs the coroutines) with this in conftest.py:

    pytest.register_assert_rewrite("angarium.plugins.testing")

    @pytest.fixture(scope="session")
    def anyio_backend(): return "asyncio"

Inherit, say how to reach the counterpart, and run pytest:

    class TestChatBale(ProviderContract):
        provider = ChatBale
        secrets = ("the-token",)
        outcomes = (Outcome("blocked", PermanentFailure, address_dead=True),)

        @pytest.fixture
        def settings(self, bale): return {"token": "the-token", "url": bale.url}

        async def arrived(self, message): ...

`RecordingProvider` is the double for tests of everything before a provider.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pytest

from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.channel import BUILT_IN_CHANNELS
from angarium.plugins.failures import InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins.message import Accepted, EmailContent, Message, PushContent, SmsContent
from angarium.plugins.provider import Provider
from angarium.plugins.settings import SettingsInvalid, decode_settings

TEXTS = {
    "persian": "سلام! «می‌خواهم» ۱۲۳ — ژاله",
    "emoji": "خرید شما 🎉👩‍👩‍👧 ثبت شد",
    "markup": "<b>5 > 3</b> & \"quotes\" \\ 'and' {braces} %s",
    "dots": "first\n.\n..second\n.third",
    "long line": "ا" * 600,
}
LARGE = "متن بسیار بلند " * 20_000


class Outcome(msgspec.Struct, frozen=True):
    """What must be raised for an address that the counterpart treats in its own way."""

    address: str
    raises: type[TemporaryFailure] | type[PermanentFailure] | type[InDoubt]
    address_dead: bool = False


class ProviderContract:
    """Inherit as `Test…`; set `provider`; give the fixture `settings` and the method `arrived`."""

    provider: ClassVar[type[Provider]]
    address: ClassVar[str] = "someone@example.org"
    """One that the counterpart accepts."""
    outcomes: ClassVar[Sequence[Outcome]] = ()
    secrets: ClassVar[Sequence[str]] = ()
    """Texts in the settings that must never be shown."""

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
        return self.provider(decode_settings(self.provider.Settings, settings, "channels"))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "outcome" in metafunc.fixturenames:
            metafunc.parametrize("outcome", self.outcomes, ids=lambda one: one.address)

    def test_its_name_begins_with_its_channel(self) -> None:
        assert self.provider.name.startswith(f"{self.provider.channel}_")

    async def test_it_refuses_a_setting_that_it_does_not_know(
        self, settings: Mapping[str, object]
    ) -> None:
        with pytest.raises(SettingsInvalid, match="no_such_setting"):
            self.build({**settings, "no_such_setting": 1})

    async def test_it_sends(self, opened: Provider) -> None:
        message = self.message()

        accepted = await opened.send(message)

        assert accepted.provider_id
        assert await self.arrived(message) == "hello"

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    async def test_a_text_arrives_whole(self, opened: Provider, text: str) -> None:
        message = self.message(text)

        await opened.send(message)

        assert await self.arrived(message) == text

    async def test_a_large_text_arrives_whole_or_is_refused_for_good(
        self, opened: Provider
    ) -> None:
        message = self.message(LARGE)

        [end] = await asyncio.gather(opened.send(message), return_exceptions=True)

        if isinstance(end, Accepted):
            assert await self.arrived(message) == LARGE
        else:
            assert isinstance(end, PermanentFailure)
            assert not end.address_dead

    async def test_it_says_what_became_of_a_message(
        self, opened: Provider, outcome: Outcome
    ) -> None:
        with pytest.raises(outcome.raises) as caught:
            await opened.send(self.message(address=outcome.address))

        assert getattr(caught.value, "address_dead", False) is outcome.address_dead
        assert outcome.address not in str(caught.value)

    async def test_messages_sent_at_once_do_not_mingle(self, opened: Provider) -> None:
        messages = [self.message(f"text {n}", key=f"dlv_{n}") for n in range(20)]

        accepted = await asyncio.gather(*(opened.send(message) for message in messages))

        assert len({one.provider_id for one in accepted}) == len(messages)
        assert [await self.arrived(message) for message in messages] == [
            f"text {n}" for n in range(20)
        ]

    @pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
    async def test_a_cancelled_send_harms_no_other(self, opened: Provider, steps: int) -> None:
        cancelled = asyncio.ensure_future(opened.send(self.message("cancelled", key="dlv_x")))
        for _ in range(steps):
            await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)

        messages = [self.message(f"after {n}", key=f"dlv_{n}") for n in range(8)]
        await asyncio.gather(*(opened.send(message) for message in messages))

        assert [await self.arrived(message) for message in messages] == [
            f"after {n}" for n in range(8)
        ]

    async def test_secrets_are_never_shown(
        self,
        settings: Mapping[str, object],
        opened: Provider,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        decoded = decode_settings(self.provider.Settings, settings, "channels")
        addresses = [self.address, *(outcome.address for outcome in self.outcomes)]
        ends = await asyncio.gather(
            *(opened.send(self.message(address=address)) for address in addresses),
            return_exceptions=True,
        )
        output = capsys.readouterr()
        shown = [caplog.text, *output, *map(repr, ends), repr(opened), repr(decoded), str(decoded)]
        for secret in self.secrets:
            assert not [text for text in shown if secret in text]

    async def test_a_callback_that_is_nonsense_is_refused_or_means_nothing(
        self, settings: Mapping[str, object]
    ) -> None:
        nonsense = CallbackRequest(method="POST", url="https://example.org/callbacks/x", body=b"\0")
        try:
            updates = self.build(settings).parse_callback(nonsense)
        except (PermissionError, ValueError):
            return
        assert list(updates) == []

    async def test_it_may_be_closed_twice_and_unopened(
        self, settings: Mapping[str, object]
    ) -> None:
        provider = self.build(settings)

        await provider.close()
        await provider.close()


def default_content(channel: str, text: str) -> Any:
    """Content of one of the four built-in channels, with this text in it."""
    kinds = {one.name: one.content for one in BUILT_IN_CHANNELS}
    kind = kinds.get(channel)
    if kind is EmailContent:
        return EmailContent(subject="A subject", text=text)
    if kind is SmsContent:
        return SmsContent(text=text)
    if kind is PushContent:
        return PushContent(title="A title", body=text)
    raise NotImplementedError(f"override content(): {channel} is no channel of ours")


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
