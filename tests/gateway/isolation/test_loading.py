"""What is installed is looked at from a distance: it cannot hold up, or end, a process of ours."""

import os
import signal
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.plugins.manager import Plugin, Plugins
from angarium.plugins.settings import SettingsInvalid
from tests.gateway.isolation.conftest import Load

BAD = {
    "raises": ("raise KeyError('x')", "KeyError: 'x'"),
    "exits": ("import os; os._exit(3)", "its process ended with status 3"),
    "quits": ("raise SystemExit", "SystemExit"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "its process ended with status -11"),
    "leaks": ("x = [b'x' * 10**6 for _ in range(10**6)]", "MemoryError"),
    "empty": ("", "has no function marked @hookimpl"),
}
WITH_CHANNEL = """
import msgspec
from angarium.plugins import Accepted, Channel, Provider, hookimpl

class Content(msgspec.Struct, frozen=True):
    text: str

class Settings(msgspec.Struct, frozen=True):
    pass

class Pigeon(Provider):
    name, channel, Settings = "pigeon_post", "pigeon", Settings
    def __init__(self, settings): pass
    async def send(self, message): return Accepted(type(message.content).__name__)

@hookimpl
def register_providers(): return [Pigeon]
"""
CHANNEL = """
@hookimpl
def register_channels():
    return [Channel(name="pigeon", consent_attribute="p", consent_default="unset",
                    address_kind="loft", content=Content)]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Modules in it can be imported, here and in plugins' processes."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def load_modules(folder: Path, modules: Mapping[str, str], **settings: object) -> Plugins:
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code)
    points = [EntryPoint(name, name, "angarium.plugins") for name in modules]
    points.append(EntryPoint("console", "angarium.channels.console", "angarium.plugins"))
    chosen = PluginsSettings(memory_mb=128, **settings)  # type: ignore[arg-type]  # a test's own
    return load_isolated(chosen, points, {**os.environ, "PYTHONPATH": str(folder)})


def test_plugins_that_cannot_be_loaded_are_named_and_stop_nothing(folder: Path) -> None:
    plugins = load_modules(folder, {f"bad_{name}": code for name, (code, _) in BAD.items()})

    errors = {plugin.name: plugin.error for plugin in plugins.plugins}
    for name, (_, error) in BAD.items():
        assert error in errors[f"bad_{name}"]
    assert "sms_console" in plugins.providers
    assert not [name for name in sys.modules if name.startswith("bad_")]


def test_one_that_does_not_finish_loading_is_ended(folder: Path) -> None:
    code = "import time; time.sleep(1000)"

    [hanging] = [
        plugin
        for plugin in load_modules(folder, {"hangs": code}, start_seconds=1.0).plugins
        if plugin.isolated or plugin.error
    ]

    assert hanging.error == "it did not finish loading in 1 s"


def test_what_one_leaves_behind_at_loading_is_not_waited_for(folder: Path) -> None:
    """It has left the session of its process, and keeps the pipe to us open."""
    code = """
import os, pathlib, time
if os.fork() == 0:
    os.setsid()
    pathlib.Path(__file__).with_suffix(".pid").write_text(str(os.getpid()))
    time.sleep(60)
    os._exit(0)
"""

    [leaving] = [
        plugin
        for plugin in load_modules(folder, {"leaves": code}, start_seconds=3.0).plugins
        if plugin.isolated or plugin.error
    ]

    assert "has no function marked @hookimpl" in leaving.error
    os.kill(int((folder / "leaves.pid").read_text()), signal.SIGKILL)


def test_a_plugin_is_described_with_what_it_brings_and_its_version(load: Load) -> None:
    [rogue] = [plugin for plugin in load().plugins if plugin.name == "sms_rogue"]

    assert rogue == Plugin(
        name="sms_rogue",
        module="angarium_rogue",
        distribution="angarium-rogue",
        version="6.6.6",
        providers=("sms_rogue", "sms_live"),
        listeners=("rogue_keep",),
        isolated=True,
    )


def test_ours_run_inside(load: Load) -> None:
    plugins = load()

    assert plugins.providers["sms_console"].__module__ == "angarium.channels.console"
    assert issubclass(plugins.providers["sms_rogue"], IsolatedProvider)


@pytest.mark.parametrize("settings", [{"isolation": "none"}, {"inside": ("post",)}])
def test_an_operator_may_let_one_run_inside(folder: Path, settings: dict[str, object]) -> None:
    plugins = load_modules(folder, {"post": WITH_CHANNEL + CHANNEL}, **settings)

    assert plugins.providers["pigeon_post"].__module__ == "post"
    assert not [plugin for plugin in plugins.plugins if plugin.isolated]
    sys.modules.pop("post")


def test_one_that_is_switched_off_is_not_even_asked(folder: Path) -> None:
    plugins = load_modules(folder, {"bad": "raise KeyError"}, off=("bad",))

    assert [plugin.name for plugin in plugins.plugins] == ["console"]


async def test_a_channel_is_brought_by_one_plugin_and_served_by_another(folder: Path) -> None:
    channel = WITH_CHANNEL.replace("@hookimpl\ndef register_providers(): return [Pigeon]", "")
    plugins = load_modules(folder, {"post": WITH_CHANNEL, "loft": channel + CHANNEL})
    provider = plugins.create_provider("pigeon_post", {})
    await provider.open()
    content = plugins.channels["pigeon"].content(text="hello")

    from angarium.plugins import Message

    accepted = await provider.send(Message(key="k", address="a", content=content))
    await provider.close()

    assert accepted.provider_id == "Content"
    assert "post" not in sys.modules
    sys.modules.pop("loft")


def test_a_provider_that_dies_over_its_section_is_named(folder: Path) -> None:
    code = WITH_CHANNEL.replace("def __init__(self, settings): pass", "__init__ = 5") + CHANNEL
    plugins = load_modules(folder, {"post": code})

    with pytest.raises(SettingsInvalid, match="cannot be used: __init__ raised TypeError"):
        plugins.create_provider("pigeon_post", {})
    sys.modules.pop("post")


@pytest.mark.parametrize(
    ("sections", "loaded"),
    [
        ({}, set[str]()),
        ({"email_smtp": {}}, {"email_smtp"}),
        ({"second": {"provider": "sms_http"}}, {"sms_http"}),
    ],
)
def test_of_our_own_only_what_has_a_section_is_loaded(
    sections: Mapping[str, Mapping[str, str]], loaded: set[str]
) -> None:
    plugins = load_isolated(PluginsSettings(), sections=sections)

    assert set(plugins.providers) == loaded
    assert "webhook" in plugins.channels


@pytest.mark.parametrize("provider", ["email_console", "email_smpt"])
def test_a_section_that_no_plugin_is_named_as_loads_all_of_them(provider: str) -> None:
    plugins = load_isolated(PluginsSettings(), sections={provider: {}})

    assert {"email_console", "push_apns"} <= set(plugins.providers)
