"""Read one plugin: import it, ask its hooks, and check what they return.

Each plugin gets a pluggy manager of its own, so that a misspelt hook or an exception in one says
nothing about another.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pluggy

from angarium.plugins import hookspecs
from angarium.plugins.channel import Channel
from angarium.plugins.provider import Provider

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_METHODS = ("open", "send", "parse_callback", "close")
_ASYNC = ("open", "send", "close")


class PluginBroken(Exception):
    """A plugin that cannot be used; the text says why, for whoever installed it."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What one plugin registers."""

    providers: tuple[type[Provider], ...]
    channels: tuple[Channel, ...]
    filters: dict[str, Callable[..., Any]]


def read_plugin(point: EntryPoint) -> Registration:
    """Import the plugin and ask its hooks. Raises PluginBroken, whatever the plugin raises."""
    try:
        hook = _register(point).hook
        registration = Registration(
            providers=_all(hook.register_providers()),
            channels=_all(hook.register_channels()),
            filters={
                name: function
                for filters in hook.register_template_filters()
                for name, function in filters.items()
            },
        )
    except PluginBroken:
        raise
    except (Exception, SystemExit) as error:
        raise PluginBroken(f"{type(error).__name__}: {error}") from error
    _check(registration)
    return registration


def _register(point: EntryPoint) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("angarium")
    manager.add_hookspecs(hookspecs)
    manager.register(point.load(), point.name)
    manager.check_pending()
    if not any(manager.get_hookcallers(plugin) for plugin in manager.get_plugins()):
        raise PluginBroken(
            f"{point.value} has no function marked @hookimpl; import hookimpl from angarium.plugins"
        )
    return manager


def _all(answers: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(item for answer in answers for item in answer)


def _check(registration: Registration) -> None:
    _check_channels(registration.channels)
    for provider in registration.providers:
        _check_class(provider)
        _check_methods(provider)
    for kind, names in _names(registration):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PluginBroken(f"registers the {kind} {twice[0]} twice")


def _names(registration: Registration) -> Iterable[tuple[str, list[str]]]:
    yield "channel", [channel.name for channel in registration.channels]
    yield "provider", [provider.name for provider in registration.providers]


def _check_channels(channels: Iterable[object]) -> None:
    for channel in channels:
        if not isinstance(channel, Channel):
            raise PluginBroken("register_channels returned something that is no Channel")


def _check_class(provider: type[Any]) -> None:
    if not inspect.isclass(provider):
        raise PluginBroken("register_providers must return classes, not instances")
    where = provider.__qualname__
    for attribute in ("name", "channel"):
        value = getattr(provider, attribute, None)
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise PluginBroken(
                f"{where}.{attribute} must be lower case letters, digits and underscores"
            )
    if not inspect.isclass(getattr(provider, "Settings", None)):
        raise PluginBroken(f"{where}.Settings must be a msgspec struct, if an empty one")


def _check_methods(provider: type[Any]) -> None:
    where = provider.__qualname__
    for method in _METHODS:
        if not callable(getattr(provider, method, None)):
            raise PluginBroken(f"{where} lacks {method}(); inherit from Provider for a default")
    for method in _ASYNC:
        if not inspect.iscoroutinefunction(getattr(provider, method)):
            raise PluginBroken(f"{where}.{method} must be an `async def`")
