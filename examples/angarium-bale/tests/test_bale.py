"""The conformance kit on our provider, and what is Bale's own."""

from collections.abc import Mapping

import pytest
from angarium_bale import CHAT, ChatBale, ChatBaleSettings, ChatContent, parse_chat_id
from conftest import TOKEN, Bale

from angarium.plugins import InDoubt, Message, PermanentFailure, TemporaryFailure
from angarium.plugins.manager import load_plugins
from angarium.plugins.settings import Secret
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract


class TestChatBale(ProviderContract, SilenceContract):
    provider = ChatBale
    address = "4711"
    secrets = (TOKEN,)
    outcomes = (
        Outcome("1000403", PermanentFailure, address_dead=True),
        Outcome("1000400", PermanentFailure),
        Outcome("1000429", TemporaryFailure),
        Outcome("1000500", InDoubt),
        Outcome("1000200", InDoubt),
        Outcome("1000000", InDoubt),
    )
    silent = "1000001"

    @pytest.fixture
    def settings(self, bale: Bale) -> Mapping[str, object]:
        self.bale = bale
        return {"token": TOKEN, "url": bale.url}

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return {"token": TOKEN, "url": "http://127.0.0.1:9"}  # the port of RFC 863

    def content(self, text: str) -> ChatContent:
        return ChatContent(text=text)

    async def arrived(self, message: Message) -> str:
        # Bale gives no key back, so the text itself must tell which message this was.
        [text] = {one["text"] for one in self.bale.sent if one["text"] == message.content.text}
        return text


def test_the_gateway_finds_it() -> None:
    plugins = load_plugins()

    assert plugins.channels["chat"] is CHAT
    assert plugins.providers["chat_bale"] is ChatBale


async def test_bale_says_how_long_to_wait(bale: Bale) -> None:
    provider = ChatBale(ChatBaleSettings(token=Secret(TOKEN), url=bale.url))
    await provider.open()
    with pytest.raises(TemporaryFailure) as caught:
        await provider.send(Message(key="k", address="1000429", content=ChatContent(text="hi")))
    await provider.close()

    assert caught.value.retry_after == 7


async def test_a_wrong_token_is_nobodys_fault_but_ours(bale: Bale) -> None:
    provider = ChatBale(ChatBaleSettings(token=Secret("wrong"), url=bale.url))
    await provider.open()
    with pytest.raises(TemporaryFailure, match="check token") as caught:
        await provider.send(Message(key="k", address="1", content=ChatContent(text="hi")))
    await provider.close()

    assert caught.value.pause


def test_an_address_is_a_whole_number() -> None:
    assert parse_chat_id("-0042") == "-42"
    with pytest.raises(ValueError, match="whole number"):
        parse_chat_id("@mina")


def test_the_token_does_not_travel_in_clear() -> None:
    with pytest.raises(ValueError, match="https"):
        ChatBaleSettings(token=Secret(TOKEN), url="http://tapi.bale.ai")
