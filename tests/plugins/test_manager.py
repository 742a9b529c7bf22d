"""What strangers install, well and badly written, is found, named, and kept apart."""

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import msgspec
import pytest

from angarium.plugins import Channel, PushContent, SmsContent, hookimpl
from angarium.plugins.channel import BUILT_IN_CHANNELS
from angarium.plugins.manager import Plugin, Plugins, load_plugins
from angarium.plugins.settings import SettingsInvalid
from tests.plugins.samples import bad_classes, chat

Register = Callable[..., EntryPoint]


def point(name: str, module: str = "") -> EntryPoint:
    return EntryPoint(name, module or f"tests.plugins.samples.{name}", "angarium.plugins")


def by_name(plugins: Plugins) -> Mapping[str, Plugin]:
    return {plugin.name: plugin for plugin in plugins.plugins}


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Make a plugin whose hooks return the given things."""

    def make(name: str, **answers: Any) -> EntryPoint:
        module = ModuleType(f"sample_{name}")
        for hook, answer in answers.items():

            def implementation(answer: Any = answer) -> Any:
                return answer

            implementation.__name__ = hook
            setattr(module, hook, hookimpl(implementation))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return point(name, module.__name__)

    return make


def test_what_is_installed_is_found_by_its_entry_point() -> None:
    plugins = load_plugins()

    ours = by_name(plugins)["email_smtp"]
    assert ours.error == ""
    assert ours.distribution == "angarium"
    assert ours.version
    assert "email_smtp" in plugins.providers


def test_the_four_channels_are_there_without_any_plugin() -> None:
    plugins = load_plugins([])

    assert list(plugins.channels) == ["email", "sms", "push", "web_push"]
    assert plugins.channels["push"].content is PushContent


def test_giving_an_address_is_consent_only_where_no_permission_is_asked_for() -> None:
    assert {channel.name: channel.consent_default for channel in BUILT_IN_CHANNELS} == {
        "email": "opted_in",
        "sms": "opted_in",
        "push": "unset",
        "web_push": "unset",
    }


def test_a_plugin_brings_channels_providers_and_filters() -> None:
    plugins = load_plugins([point("chat")])

    assert plugins.channels["chat"].consent_attribute == "chat_opt_in"
    assert plugins.providers["chat_sample"] is chat.ChatSample
    assert plugins.filters["shout"]("loud") == "LOUD"
    assert plugins.plugins == (
        Plugin(
            name="chat",
            module="tests.plugins.samples.chat",
            providers=("chat_sample",),
            channels=("chat",),
            filters=("shout",),
        ),
    )


def test_a_provider_may_deliver_on_a_channel_of_a_plugin_that_comes_after_it() -> None:
    plugins = load_plugins([point("a", "tests.plugins.samples.on_chat"), point("chat")])

    assert set(plugins.providers) == {"chat_sample", "chat_other"}
    assert not [plugin for plugin in plugins.plugins if plugin.error]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("misspelt", "register_provider"),
        ("unmarked", "hookimpl"),
        ("raising", "no licence found"),
        ("leaving", "I do not like it here"),
        ("missing", "No module named"),
        ("on_chat", "chat, a channel that no installed plugin registers"),
    ],
)
def test_a_broken_plugin_is_named_and_stops_no_other(name: str, error: str) -> None:
    sound = point("sound", "angarium.channels.console")

    plugins = load_plugins([point(name), sound])

    assert error in by_name(plugins)[name].error
    assert "sms_console" in plugins.providers


@pytest.mark.parametrize(
    ("provider", "error"),
    [
        (bad_classes.BadName, "BadName.name must be lower case"),
        (bad_classes.NoSettings, "NoSettings.Settings must be a msgspec struct"),
        (bad_classes.NotAwaited, "NotAwaited.send must be an `async def`"),
        (bad_classes.Bare, "Bare lacks parse_callback()"),
        (bad_classes.OnNoChannel, "sms_good delivers on pigeon"),
        (bad_classes.Good(bad_classes.Nothing()), "must return classes, not instances"),
    ],
)
def test_a_provider_that_breaks_the_contract_is_refused(
    register: Register, provider: Any, error: str
) -> None:
    plugins = load_plugins([register("bad", register_providers=[provider])])

    assert error in plugins.plugins[0].error
    assert not plugins.providers


def test_what_is_no_channel_is_refused(register: Register) -> None:
    plugins = load_plugins([register("bad", register_channels=["chat"])])

    assert "no Channel" in plugins.plugins[0].error


def test_one_plugin_may_not_register_a_name_twice(register: Register) -> None:
    twice = register("twice", register_providers=[bad_classes.Good, bad_classes.Good])

    assert "sms_good twice" in load_plugins([twice]).plugins[0].error


def test_of_two_that_clash_ours_or_the_first_by_name_stays(register: Register) -> None:
    first = register("a", register_providers=[bad_classes.Good])
    second = register("b", register_providers=[bad_classes.Good])
    usurper = register("c", register_channels=list(BUILT_IN_CHANNELS[:1]))
    louder = register("d", register_template_filters={"shout": str.lower})

    plugins = by_name(load_plugins([louder, usurper, second, first, point("chat")]))

    assert plugins["a"].error == ""
    taken = "another plugin already has a provider named sms_good: a (sample_a)"
    assert plugins["b"].error == taken
    assert plugins["c"].error == "there is already a channel named email"
    whose = "chat (tests.plugins.samples.chat)"
    assert (
        plugins["d"].error == f"another plugin already has a template filter named shout: {whose}"
    )


def test_every_channel_has_a_consent_of_its_own(register: Register) -> None:
    shared = {
        "consent_attribute": "sms_opt_in",
        "consent_default": "unset",
        "address_kind": "phone",
    }
    on_sms = Channel(name="whatsapp", content=SmsContent, **shared)
    pair = [msgspec.structs.replace(on_sms, name=n, consent_attribute="ok") for n in ("a", "b")]

    plugins = by_name(
        load_plugins(
            [register("w", register_channels=[on_sms]), register("p", register_channels=pair)]
        )
    )

    assert plugins["w"].error == (
        "the channel whatsapp needs a consent of its own: sms_opt_in is that of sms"
    )
    assert plugins["p"].error == "registers the consent ok twice"


def test_an_entry_point_seen_twice_is_loaded_once() -> None:
    assert len(load_plugins([point("chat"), point("chat")]).plugins) == 1


def test_a_provider_is_built_from_its_section() -> None:
    plugins = load_plugins([point("chat")])

    provider = plugins.create_providers({"chat_sample": {"token": "t"}})["chat_sample"]

    assert isinstance(provider, chat.ChatSample)
    assert provider.settings.token.reveal() == "t"


def test_all_mistakes_of_all_sections_are_named_at_once() -> None:
    plugins = load_plugins([point("chat"), point("raising")])

    with pytest.raises(SettingsInvalid) as invalid:
        plugins.create_providers(
            {
                "chat_sample": {"tokn": "secret", "url": 5},
                "chat_smaple": {},
                "raising": {},
            }
        )

    assert invalid.value.errors == [
        ("channels.chat_sample.tokn", "unknown setting; did you mean token?"),
        ("channels.chat_sample.token", "missing, and it has no default"),
        ("channels.chat_sample.url", "Expected str, got int"),
        (
            "channels.chat_smaple",
            "no installed plugin has a provider of this name, and `provider` is not set; "
            "did you mean chat_sample? (could not be loaded: raising)",
        ),
        (
            "channels.raising",
            "the plugin raising cannot be used: RuntimeError: no licence found "
            "(raising.py, line 3)",
        ),
    ]


@pytest.mark.parametrize(
    ("section", "detail"),
    [
        ({"token": "t", "url": "http://x"}, "url: must begin with https://"),
        ({"token": "too short"}, "token: has at least 20 letters"),
    ],
)
def test_what_a_provider_itself_finds_wrong_is_reported_the_same_way(
    section: Mapping[str, object], detail: str
) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        load_plugins([point("chat")]).create_provider("chat_sample", section)

    assert invalid.value.errors == [("channels.chat_sample", detail)]
