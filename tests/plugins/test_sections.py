"""What every provider's section may hold."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from angarium.plugins.manager import Plugins, load_plugins
from angarium.plugins.registration import PluginBroken, read_plugin
from angarium.plugins.sections import Routing, read_section
from angarium.plugins.settings import SettingsInvalid
from tests.plugins.samples import chat

CHAT = EntryPoint("chat", "tests.plugins.samples.chat", "angarium.plugins")


@pytest.fixture
def plugins() -> Plugins:
    return load_plugins([CHAT])


def test_what_is_common_is_told_from_the_providers_own() -> None:
    section = {"token": "t", "order": 2, "weight": "3", "per_second": "0.5", "platforms": "ios,web"}
    routing, own = read_section("chat_sample", section)
    assert routing == Routing(order=2, weight=3, per_second=0.5, platforms=("ios", "web"))
    assert own == {"token": "t"}


def test_a_section_of_its_own_name_says_which_provider_it_is_for(plugins: Plugins) -> None:
    sections = {"chat_sample": {"token": "a"}, "chat_second": {"token": "b"}}
    sections["chat_second"]["provider"] = "chat_sample"

    built = plugins.create_providers(sections)

    assert [type(one) for one in built.values()] == [chat.ChatSample, chat.ChatSample]
    tokens = [provider.settings.token.reveal() for provider in built.values()]  # type: ignore[attr-defined] - the sample's
    assert tokens == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "section", "setting", "detail"),
    [
        ("chat_sample", {"weight": -1}, "weight", "Expected int >= 0"),
        ("chat_sample", {"order": "first"}, "order", "Expected int | null, got str"),
        ("chat_sample", {"per_second": -1}, "per_second", "Expected float >= 0.0"),
        ("chat_two", {"provider": "chat_smaple"}, "provider", "no installed plugin has it"),
    ],
)
def test_mistakes_name_the_setting(
    plugins: Plugins, name: str, section: Mapping[str, Any], setting: str, detail: str
) -> None:
    given = {"token": "t", **section}
    with pytest.raises(SettingsInvalid) as invalid:
        plugins.create_provider(name, given)
    [(where, said)] = invalid.value.errors
    assert where == f"channels.{name}.{setting}"
    assert said.startswith(detail)


def test_a_section_does_not_take_the_name_of_another_provider() -> None:
    plugins = load_plugins([CHAT, EntryPoint("c", "angarium.channels.console", "angarium.plugins")])
    [taken] = [name for name in plugins.providers if name.startswith("email")]
    with pytest.raises(SettingsInvalid, match="is another installed provider"):
        plugins.create_provider(taken, {"provider": "chat_sample", "token": "t"})


@pytest.mark.parametrize("name", ["Chat", "chat-2", "", "2chat", "a" * 65, "chat.b"])
def test_a_name_that_no_address_could_hold_is_refused(plugins: Plugins, name: str) -> None:
    with pytest.raises(SettingsInvalid, match="small letters"):
        plugins.create_provider(name, {"provider": "chat_sample", "token": "t"})


def test_a_provider_may_not_call_a_setting_of_its_own_so() -> None:
    greedy = EntryPoint("greedy", "tests.plugins.samples.greedy", "angarium.plugins")
    with pytest.raises(PluginBroken, match="every section has weight already"):
        read_plugin(greedy)
