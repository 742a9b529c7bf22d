"""Find the installed plugins, and keep what they register.

A plugin that cannot be loaded is listed with the reason; it never stops the others. It becomes an
error when the settings name one of its providers.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import msgspec

from angarium.plugins.channel import BUILT_IN_CHANNELS, Channel
from angarium.plugins.provider import Provider
from angarium.plugins.registration import PluginBroken, Registration, read_plugin
from angarium.plugins.settings import SettingsInvalid, decode_settings, suggestion

ENTRY_POINT_GROUP = "angarium.plugins"
OURS = "angarium."


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """An installed plugin, as `angarium plugins list` and GET /v1/plugins show it."""

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    providers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    error: str = ""
    """Why nothing of it is used; "" if all is well."""


class Plugins(msgspec.Struct, frozen=True, kw_only=True):
    """What is installed: channels, providers and template filters by name, and their plugins."""

    plugins: tuple[Plugin, ...]
    channels: Mapping[str, Channel]
    providers: Mapping[str, type[Provider]]
    filters: Mapping[str, Callable[..., Any]]

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
        provider = self.providers.get(name)
        if provider is None:
            raise SettingsInvalid([(where, self._why_unknown(name))])
        settings = decode_settings(provider.Settings, section, where)
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
        return f"no installed plugin has a provider of this name{near}" + (
            f" (could not be loaded: {unread})" if unread else ""
        )


def load_plugins(found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load every plugin of the entry-point group; of two that clash, ours or the first by name.

    `found`: the entry points to load, instead of those installed.
    """
    points = entry_points(group=ENTRY_POINT_GROUP) if found is None else found
    read: list[tuple[Plugin, Registration | None]] = [
        _read(point) for point in sorted(set(points), key=_order)
    ]
    # Those that bring channels first: others may deliver on them.
    read.sort(key=lambda one: one[1] is None or not one[1].channels)
    plugins: list[Plugin] = []
    channels = {channel.name: channel for channel in BUILT_IN_CHANNELS}
    providers: dict[str, type[Provider]] = {}
    filters: dict[str, Callable[..., Any]] = {}
    for plugin, registration in read:
        clash = _clash(registration, channels, providers, filters) if registration else ""
        if registration and not clash:
            channels.update({one.name: one for one in registration.channels})
            providers.update({one.name: one for one in registration.providers})
            filters.update(registration.filters)
        plugins.append(msgspec.structs.replace(plugin, error=plugin.error or clash))
    return Plugins(plugins=tuple(plugins), channels=channels, providers=providers, filters=filters)


def _order(point: EntryPoint) -> tuple[bool, str, str]:
    return (not point.value.startswith(OURS), point.name, point.value)


def _read(point: EntryPoint) -> tuple[Plugin, Registration | None]:
    plugin = Plugin(
        name=point.name,
        module=point.module,
        distribution=point.dist.name if point.dist else "",
        version=point.dist.version if point.dist else "",
    )
    try:
        registration = read_plugin(point)
    except PluginBroken as broken:
        return msgspec.structs.replace(plugin, error=str(broken)), None
    plugin = msgspec.structs.replace(
        plugin,
        providers=tuple(one.name for one in registration.providers),
        channels=tuple(one.name for one in registration.channels),
        filters=tuple(registration.filters),
    )
    return plugin, registration


def _clash(
    registration: Registration,
    channels: Mapping[str, Channel],
    providers: Mapping[str, type[Provider]],
    filters: Mapping[str, Callable[..., Any]],
) -> str:
    """Why this plugin cannot stand beside those already taken; "" if it can."""
    own = {channel.name for channel in registration.channels}
    for name in own & channels.keys():
        return f"there is already a channel named {name}"
    for name in registration.filters.keys() & filters.keys():
        return f"another plugin already has a template filter named {name}"
    for provider in registration.providers:
        if provider.name in providers:
            return f"another plugin already has a provider named {provider.name}"
        if provider.channel not in own | channels.keys():
            return (
                f"{provider.name} delivers on {provider.channel}, a channel that no installed "
                "plugin registers"
            )
    return ""
