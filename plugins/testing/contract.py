"""What holds for every provider, whatever it delivers on."""

import asyncio
import logging
from collections.abc import Mapping
from traceback import format_exception
from typing import Any

import pytest

from angarium.plugins.callback import CallbackRequest
from angarium.plugins.failures import PermanentFailure
from angarium.plugins.message import Accepted
from angarium.plugins.provider import Provider
from angarium.plugins.settings import Secret, SettingsInvalid, decode_settings
from angarium.plugins.testing.content import LARGE, TEXTS
from angarium.plugins.testing.harness import Harness, Outcome


def _secrets_of(settings: Any) -> list[str]:
    """The texts that its author forgot to name in `secrets`."""
    values = [getattr(settings, name) for name in settings.__struct_fields__]
    return [value.reveal() for value in values if isinstance(value, Secret) and value]


class ProviderContract(Harness):
    """Inherit as `Test…`; set `provider`; give the fixture `settings` and the method `arrived`."""

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
        assert str(caught.value).startswith(self.provider.name), "a reason begins with its provider"

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
        stacks = ["".join(format_exception(e)) for e in ends if isinstance(e, BaseException)]
        shown = [caplog.text, *output, *map(repr, ends), repr(opened), repr(decoded), str(decoded)]
        shown += stacks
        for secret in (*self.secrets, *_secrets_of(decoded)):
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
