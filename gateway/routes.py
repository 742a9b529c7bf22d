"""The providers' sections of the settings, as the delivery workers choose between them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from angarium.core.delivery.routes import Route
from angarium.plugins.manager import Plugins
from angarium.plugins.provider import Provider, platforms_of
from angarium.plugins.sections import read_section
from angarium.plugins.settings import SettingsInvalid, suggestion

Sections = Mapping[str, Mapping[str, Any]]


def build_routes(plugins: Plugins, sections: Sections) -> list[tuple[Route, Provider]]:
    """Each section's provider, and what it may be given. Raises SettingsInvalid."""
    listed: Counter[str] = Counter()
    built: list[tuple[Route, Provider]] = []
    errors: list[tuple[str, str]] = []
    for name, provider in plugins.create_providers(sections).items():
        listed[provider.channel] += 1
        routing, _ = read_section(name, sections[name])
        route = Route(
            name=name,
            order=routing.order or listed[provider.channel],
            weight=routing.weight,
            per_second=routing.per_second,
            platforms=routing.platforms or platforms_of(provider),
        )
        errors += _strange_platforms(route, provider)
        built.append((route, provider))
    if errors:
        raise SettingsInvalid(errors)
    return built


def strange_channels(plugins: Plugins, served: Sequence[str]) -> list[tuple[str, str]]:
    """Names in `deliver.channels` that are no channel's, as (setting, what is wrong)."""
    known = sorted(plugins.channels)
    return [
        ("deliver.channels", f"{name} is no channel that there is" + suggestion(name, known))
        for name in served
        if name not in known
    ]


def sections_of(sections: Sections, provider: str) -> list[str]:
    """The names of the sections of an installed provider."""
    return [name for name, kind in kinds(sections).items() if kind == provider]


def kinds(sections: Sections) -> dict[str, str]:
    """The installed provider that each section is for, by the section's name."""
    return {name: str(section.get("provider") or name) for name, section in sections.items()}


def channel_of(plugins: Plugins, kind: str) -> str:
    """The channel of an installed provider; "" if it is not installed."""
    provider = plugins.providers.get(kind)
    return provider.channel if provider is not None else ""


def _strange_platforms(route: Route, provider: Provider) -> list[tuple[str, str]]:
    able = platforms_of(provider)
    if not able or set(route.platforms) <= set(able):
        return []
    detail = f"{provider.name} sends to {', '.join(able)} only"
    return [(f"channels.{route.name}.platforms", detail)]
