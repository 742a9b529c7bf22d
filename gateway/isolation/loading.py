"""Load the installed plugins as the settings ask: ours here, strangers' in processes of their own.

A stranger's plugin that only delivers, or listens to reports, is never imported here. One that
also brings a channel, a template filter or a gate is, for those run inside our processes; but only
after a process of its own has loaded it and lived.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.home import Home, make_home
from angarium.gateway.isolation.listener import isolate_listeners
from angarium.gateway.isolation.probe import Probe, ask_what, described
from angarium.gateway.isolation.provider import Source, isolate
from angarium.gateway.isolation.wire import Described, Point
from angarium.gateway.routes import Sections, kinds
from angarium.plugins.manager import ENTRY_POINT_GROUP, Plugins, is_ours, load_plugins
from angarium.plugins.registration import PluginBroken, Registration, read_plugin

CHANNELS: Final = frozenset({"webhook"})
"""Plugins of ours that bring a channel: people may opt in though nothing delivers on it yet."""


def load_isolated(
    settings: PluginsSettings,
    found: Iterable[EntryPoint] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    sections: Sections | None = None,
) -> Plugins:
    """Every plugin that is installed and not switched off.

    `found`: instead of those installed. `sections`: of our own, only what these need, since
    most of a start is imports. It waits for the strangers' processes: call it at a start.
    """
    points = list(entry_points(group=ENTRY_POINT_GROUP) if found is None else found)
    wanted = [point for point in points if point.name not in settings.off]
    if sections is not None:
        wanted = _needed(wanted, sections)
    if settings.isolation == "none":
        return load_plugins(wanted)
    strangers = [p for p in wanted if not is_ours(p) and p.name not in settings.inside]
    return load_plugins(wanted, read=_Reader(strangers, make_home(settings, environ)))


def _needed(points: list[EntryPoint], sections: Sections) -> list[EntryPoint]:
    """All, if a section is for a provider that no plugin is named as: only loading tells whose."""
    named = set(kinds(sections).values())
    if not named <= {point.name for point in points}:
        return points
    return [p for p in points if not is_ours(p) or p.name in named or p.name in CHANNELS]


class _Reader:
    """Reads a plugin: a stranger's through its process, every other by importing it."""

    def __init__(self, strangers: Sequence[EntryPoint], home: Home) -> None:
        self._home = home
        self._asked: dict[Point, Probe] = {}
        for point in strangers:
            self._asked.setdefault(_pair(point), ask_what(_pair(point), home))
        self._with_channels: list[Point] = []

    def __call__(self, point: EntryPoint) -> Registration:
        probe = self._asked.get(_pair(point))
        if probe is None:
            return self._inside(point)
        told = described(probe)
        if told.error:
            raise PluginBroken(told.error)
        inside = self._inside(point) if told.inside else Registration()
        return self._isolated(_pair(point), told, inside)

    def _inside(self, point: EntryPoint) -> Registration:
        registration = read_plugin(point)
        if registration.channels:
            self._with_channels.append(_pair(point))
        return registration

    def _isolated(self, point: Point, told: Described, inside: Registration) -> Registration:
        providers = [
            isolate(Source(point, offer, self._home, lambda: self._with_channels))
            for offer in told.providers
        ]
        return Registration(
            providers=tuple(providers),
            channels=inside.channels,
            filters=inside.filters,
            gates=inside.gates,
            listeners=isolate_listeners(point, told.listeners, self._home),
            isolated=True,
        )


def _pair(point: EntryPoint) -> Point:
    return (point.name, point.value)
