"""Find the installed plugins, and keep what they register.

A plugin that cannot be loaded is listed with the reason; it never stops the others. It becomes an
error when the settings name one of its providers.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

import msgspec

from angarium.plugins.channel import BUILT_IN_CHANNELS, Channel
from angarium.plugins.gates import Gate
from angarium.plugins.provider import Provider
from angarium.plugins.registration import (
    PluginBroken,
    Registration,
    clash_of,
    join,
    read_plugin,
    taken_name,
)
from angarium.plugins.reports import Listener
from angarium.plugins.sections import installed_name, read_section
from angarium.plugins.settings import SettingsInvalid, decode_settings, suggestion

ENTRY_POINT_GROUP = "angarium.plugins"
DISTRIBUTION = "angarium"
OURS = "angarium."

Read = Callable[[EntryPoint], Registration]
"""How to learn what a plugin registers. Raises PluginBroken."""


@runtime_checkable
class ReadsSection(Protocol):
    """A provider's class whose settings we cannot decode here: its code is not loaded here."""

    def from_section(self, section: Mapping[str, object], where: str) -> Provider:
        """Build it of its own settings, as they stand under `where`. Raises SettingsInvalid."""
        ...


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """An installed plugin, as `angarium plugins list` and GET /v1/plugins show it."""

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    providers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    listeners: tuple[str, ...] = ()
    isolated: bool = False
    """Its providers and listeners run in processes of their own."""
    error: str = ""
    """Why nothing of it is used; "" if all is well."""


class Plugins(msgspec.Struct, frozen=True, kw_only=True):
    """What is installed, by name, and the plugins that brought it."""

    plugins: tuple[Plugin, ...]
    channels: Mapping[str, Channel]
    providers: Mapping[str, type[Provider]]
    filters: Mapping[str, Callable[..., Any]]
    gates: Mapping[str, Gate] = {}
    listeners: Mapping[str, Listener] = {}

    def create_providers(self, sections: Mapping[str, Mapping[str, object]]) -> dict[str, Provider]:
        """Build a provider for each section under `[channels]`, named as the section is.

        Raises SettingsInvalid with the mistakes of all sections at once.
        """
        built: dict[str, Provider] = {}
        errors: list[tuple[str, str]] = []
        for name, section in sections.items():
            try:
                built[name] = self.create_provider(name, section)
            except SettingsInvalid as invalid:
                errors.extend(invalid.errors)
        if errors:
            raise SettingsInvalid(errors)
        return built

    def create_provider(self, name: str, section: Mapping[str, object]) -> Provider:
        """Build one provider from its section. Raises SettingsInvalid."""
        where = f"channels.{name}"
        routing, own = read_section(name, section)
        provider = self.providers.get(installed_name(name, routing, self.providers))
        if provider is None:
            raise SettingsInvalid([(where, self._why_unknown(name))])
        if isinstance(provider, ReadsSection):
            return provider.from_section(own, where)
        settings = decode_settings(provider.Settings, own, where)
        try:
            return provider(settings)
        except ValueError as error:
            raise SettingsInvalid([(where, str(error))]) from error

    def _why_unknown(self, name: str) -> str:
        broken = [plugin for plugin in self.plugins if plugin.error]
        for plugin in broken:
            if name in (plugin.name, *plugin.providers):
                return f"the plugin {plugin.name} cannot be used: {plugin.error}"
        near = suggestion(name, list(self.providers))
        unread = ", ".join(plugin.name for plugin in broken)
        return (
            f"no installed plugin has a provider of this name, and `provider` is not set{near}"
            + (f" (could not be loaded: {unread})" if unread else "")
        )


def load_plugins(found: Iterable[EntryPoint] | None = None, *, read: Read = read_plugin) -> Plugins:
    """Load every plugin of the entry-point group; of two that clash, ours or the first by name.

    `found`: the entry points to load, instead of those installed. `read`: how to read one, else
    by importing it here.
    """
    points = entry_points(group=ENTRY_POINT_GROUP) if found is None else found
    taken: list[tuple[Plugin, Registration | None]] = [
        _read(point, read) for point in sorted(set(points), key=_order)
    ]
    # Those that bring channels first: others may deliver on them.
    taken.sort(key=lambda one: one[1] is None or not one[1].channels)
    plugins: list[Plugin] = []
    used: list[tuple[Plugin, Registration]] = []
    sound = Registration(channels=BUILT_IN_CHANNELS)
    for plugin, registration in taken:
        clash = clash_of(sound, registration) if registration else ""
        if registration and clash:
            clash += _whose(used, registration)
        elif registration:
            sound = join(sound, registration)
            used.append((plugin, registration))
        plugins.append(msgspec.structs.replace(plugin, error=plugin.error or clash))
    return Plugins(
        plugins=tuple(plugins),
        channels={channel.name: channel for channel in sound.channels},
        providers={provider.name: provider for provider in sound.providers},
        filters=sound.filters,
        gates=sound.gates,
        listeners=sound.listeners,
    )


def _whose(used: Iterable[tuple[Plugin, Registration]], clashing: Registration) -> str:
    """Which plugin has the name that another wants too."""
    for plugin, registration in used:
        if taken_name(registration, clashing):
            return f": {plugin.name} ({plugin.distribution or plugin.module})"
    return ""


def is_ours(point: EntryPoint) -> bool:
    """Whether a plugin came with Angarium itself."""
    installed_by_us = point.dist is None or point.dist.name == DISTRIBUTION
    return installed_by_us and point.value.startswith(OURS)


def _order(point: EntryPoint) -> tuple[bool, str, str]:
    return (not is_ours(point), point.name, point.value)


def _read(point: EntryPoint, read: Read) -> tuple[Plugin, Registration | None]:
    plugin = Plugin(
        name=point.name,
        module=point.module,
        distribution=point.dist.name if point.dist else "",
        version=point.dist.version if point.dist else "",
    )
    try:
        registration = read(point)
    except PluginBroken as broken:
        return msgspec.structs.replace(plugin, error=str(broken)), None
    plugin = msgspec.structs.replace(
        plugin,
        providers=tuple(one.name for one in registration.providers),
        channels=tuple(one.name for one in registration.channels),
        filters=tuple(registration.filters),
        gates=tuple(registration.gates),
        listeners=tuple(registration.listeners),
        isolated=registration.isolated,
    )
    return plugin, registration
