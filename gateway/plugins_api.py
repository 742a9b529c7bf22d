"""What is installed and set up, over HTTP; and what campaigns ask for that nothing sends."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from litestar import get

from angarium.core.store.campaigns import active_campaigns
from angarium.gateway.auth import requires
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.plugins.manager import Plugins

NOT_CHANNELS: Final = frozenset({"order", "fallback"})
"""Members of a campaign's `content` that are no channel."""


class PluginBody(msgspec.Struct):
    """An installed plugin; `error`: why nothing of it is used, or ""."""

    name: str
    module: str
    distribution: str
    version: str
    providers: Sequence[str]
    channels: Sequence[str]
    error: str


class ProviderBody(msgspec.Struct, rename="camel"):
    """What delivers on a channel; `configured`: it has a section in the settings."""

    name: str
    channel: str
    configured: bool


class ChannelBody(msgspec.Struct, rename="camel"):
    """A medium; `providers`: those that are configured; `reachable`: there is one."""

    name: str
    consent_attribute: str
    consent_default: str
    providers: Sequence[str]
    reachable: bool


class PluginsBody(msgspec.Struct, rename="camel"):
    """missing: channels that active campaigns have content for, and no provider delivers on."""

    data: Sequence[PluginBody]
    providers: Sequence[ProviderBody]
    channels: Sequence[ChannelBody]
    missing: Sequence[str]


@get(
    "/v1/plugins",
    guards=[requires("plugins:read")],
    summary="What is installed, what is set up, and what is missing",
    description="Scope: plugins:read.",
    tags=["plugins"],
)
async def list_plugins(parts: Parts, caller: Caller) -> PluginsBody:
    plugins: Plugins = parts.plugins
    async with parts.store.reading() as tx:
        active = await active_campaigns(tx)
    asked = _asked(one.definition for one in active if one.workspace == caller.workspace)
    providers = [
        ProviderBody(name, provider.channel, name in parts.settings.channels)
        for name, provider in sorted(plugins.providers.items())
    ]
    serving = {provider.channel for provider in providers if provider.configured}
    return PluginsBody(
        data=[_plugin(plugin) for plugin in plugins.plugins],
        providers=providers,
        channels=[
            ChannelBody(
                name,
                channel.consent_attribute,
                channel.consent_default,
                [p.name for p in providers if p.configured and p.channel == name],
                name in serving,
            )
            for name, channel in sorted(plugins.channels.items())
        ],
        missing=sorted(asked - serving),
    )


def _asked(definitions: Iterable[str]) -> set[str]:
    """The channels that definitions (JSON) have content for."""
    found: set[str] = set()
    for definition in definitions:
        content: dict[str, Any] = msgspec.json.decode(definition).get("content") or {}
        found |= content.keys() - NOT_CHANNELS
    return found


def _plugin(plugin: object) -> PluginBody:
    return msgspec.convert(plugin, PluginBody, from_attributes=True)
