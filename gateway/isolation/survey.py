"""What `angarium plugins list` says of each plugin: what it is, how it fares, what is wrong."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from angarium.config.settings import Settings
from angarium.core.store.errors import StoreError
from angarium.core.store.open import open_store
from angarium.core.store.plugins import PluginHealth, list_health
from angarium.core.store.tolls import HeldToll, list_held_tolls
from angarium.core.workers.clock import now
from angarium.gateway.deaths import remedy, told
from angarium.gateway.isolation.health import HEARD
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.opening import why_not_open
from angarium.gateway.routes import sections_of
from angarium.gateway.web_push_key import with_some_key
from angarium.plugins.manager import Plugin, Plugins
from angarium.plugins.settings import SettingsInvalid

STATES: Mapping[str, str] = {
    "idle": "not started yet",
    "runs": "runs",
    "rests": "died, is started again soon",
    "aside": "PUT ASIDE",
}


class Entry(msgspec.Struct, frozen=True):
    """One plugin: the line about it, and lines below; `well`: nothing has to be done."""

    line: str
    below: Sequence[str]
    well: bool


async def survey(settings: Settings) -> list[Entry]:
    """An entry for each plugin that is installed, those that are switched off last."""
    plugins = load_isolated(settings.plugins)
    health, held = await _health(settings.database.url)
    entries = [await _entry(plugin, plugins, settings, health, held) for plugin in plugins.plugins]
    return entries + [Entry(f"{name}  switched off", (), True) for name in settings.plugins.off]


async def _health(url: str) -> tuple[list[PluginHealth], list[HeldToll]]:
    """What running processes have told, and whom they do not believe; nothing, where there is no
    instance."""
    if _is_missing(url):
        return [], []
    try:
        store = await open_store(url)
        try:
            async with store.reading() as tx:
                return await list_health(tx, now() - HEARD), await list_held_tolls(tx)
        finally:
            await store.close()
    except StoreError:
        return [], []


def _is_missing(url: str) -> bool:
    """Whether it is a file that is not there; opening it would make it."""
    file = Path(unquote(url.removeprefix("sqlite:///")))
    return url.startswith("sqlite:") and not file.exists()


async def _entry(
    plugin: Plugin,
    plugins: Plugins,
    settings: Settings,
    health: Sequence[PluginHealth],
    held: Sequence[HeldToll],
) -> Entry:
    origin = f"{plugin.distribution} {plugin.version}".strip() or plugin.module
    said = f"cannot be used: {plugin.error}" if plugin.error else ", ".join(_adds(plugin))
    place = "  in a process of its own" if plugin.isolated else ""
    mistakes = [one async for one in _mistakes(plugin, plugins, settings)]
    fares = [one for one in health if one.plugin == plugin.name]
    aside = any(one.state == "aside" for one in fares)
    own = {name for one in plugin.providers for name in sections_of(settings.channels, one)}
    doubted = [f"{told(one)}: {remedy(one)}" for one in held if one.provider in own]
    well = not (plugin.error or mistakes or aside or doubted)
    line = f"{plugin.name}  ({origin})  {said}{place}"
    return Entry(line, [*mistakes, *doubted, *map(_told, fares)], well)


def _adds(plugin: Plugin) -> Iterator[str]:
    for word, names in (
        ("provider", plugin.providers),
        ("channel", plugin.channels),
        ("filter", plugin.filters),
        ("gate", plugin.gates),
        ("listener", plugin.listeners),
    ):
        yield from (f"{word} {name}" for name in names)


async def _mistakes(plugin: Plugin, plugins: Plugins, settings: Settings) -> AsyncIterator[str]:
    """What is wrong with the sections of its providers, or with what they name; never a value."""
    sections = with_some_key(settings.channels)
    for provider in plugin.providers:
        for section in sections_of(sections, provider):
            try:
                made = plugins.create_provider(section, sections[section])
            except SettingsInvalid as invalid:
                for setting, detail in invalid.errors:
                    yield f"{setting}: {detail}"
            else:
                if mistake := await why_not_open(section, made):
                    yield mistake


def _told(health: PluginHealth) -> str:
    last = f", last: {health.last}" if health.last else ""
    return (
        f"{health.serves} in {health.process} ({health.host}, pid {health.pid}): "
        f"{STATES.get(health.state, health.state)}; {health.failures} failures{last}"
    )
