"""What is installed and set up, over HTTP; and what campaigns ask for that nothing sends."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from litestar import get

from angarium.core.events.times import format_instant
from angarium.core.store.campaigns import active_campaigns
from angarium.core.store.plugins import PluginHealth, list_health
from angarium.gateway.auth import requires
from angarium.gateway.isolation.health import HEARD
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.gateway.routes import channel_of, kinds
from angarium.plugins.manager import Plugin, Plugins

NOT_CHANNELS: Final = frozenset({"order", "fallback"})
"""Members of a campaign's `content` that are no channel."""


class HealthBody(msgspec.Struct):
    """How a plugin's own process fares, as one of ours that runs it told lately.

    serves: a provider, or "report listeners". process, host, pid: who told. state: idle, runs,
    rests (it died, and is started again soon), aside (put aside for long). failures: since that
    process of ours began; last: the last of them.
    """

    serves: str
    process: str
    host: str
    pid: int
    state: str
    failures: int
    last: str
    at: str


class PluginBody(msgspec.Struct):
    """An installed plugin; `error`: why nothing of it is used, or "".

    isolated: its providers and listeners run in processes of their own; health: how those fare.
    """

    name: str
    module: str
    distribution: str
    version: str
    providers: Sequence[str]
    channels: Sequence[str]
    filters: Sequence[str]
    gates: Sequence[str]
    listeners: Sequence[str]
    isolated: bool
    error: str
    health: Sequence[HealthBody] = ()


class ProviderBody(msgspec.Struct, rename="camel"):
    """What delivers on a channel; `configured`: it has a section in the settings."""

    name: str
    channel: str
    configured: bool


class ChannelBody(msgspec.Struct, rename="camel"):
    """A medium; `providers`: the sections that send on it; `reachable`: there is one."""

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
    load = parts.load_all
    plugins: Plugins = parts.plugins if load is None else await asyncio.to_thread(load)
    async with parts.store.reading() as tx:
        active = await active_campaigns(tx)
        health = await list_health(tx, parts.now() - HEARD)
    asked = _asked(one.definition for one in active if one.workspace == caller.workspace)
    sections = parts.settings.channels
    configured = set(kinds(sections).values())
    providers = [
        ProviderBody(name, provider.channel, name in configured)
        for name, provider in sorted(plugins.providers.items())
    ]
    serving = {section: channel_of(plugins, kind) for section, kind in kinds(sections).items()}
    return PluginsBody(
        data=[_plugin(plugin, health) for plugin in plugins.plugins],
        providers=providers,
        channels=[
            ChannelBody(
                name,
                channel.consent_attribute,
                channel.consent_default,
                sorted(section for section, channel in serving.items() if channel == name),
                name in serving.values(),
            )
            for name, channel in sorted(plugins.channels.items())
        ],
        missing=sorted(asked - set(serving.values())),
    )


def _asked(definitions: Iterable[str]) -> set[str]:
    """The channels that definitions (JSON) have content for."""
    found: set[str] = set()
    for definition in definitions:
        content: dict[str, Any] = msgspec.json.decode(definition).get("content") or {}
        found |= content.keys() - NOT_CHANNELS
    return found


def _plugin(plugin: Plugin, health: Iterable[PluginHealth]) -> PluginBody:
    body = msgspec.convert(plugin, PluginBody, from_attributes=True)
    body.health = [_health(one) for one in health if one.plugin == plugin.name]
    return body


def _health(health: PluginHealth) -> HealthBody:
    return HealthBody(
        health.serves,
        health.process,
        health.host,
        health.pid,
        health.state,
        health.failures,
        health.last,
        format_instant(health.at),
    )
