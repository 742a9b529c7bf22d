"""Read one plugin: import it, ask its hooks, and check what they return.

Each plugin gets a pluggy manager of its own, so that a misspelt hook or an exception in one says
nothing about another.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from traceback import walk_tb
from typing import Any

import msgspec
import pluggy

from angarium.plugins import hookspecs
from angarium.plugins.channel import Channel
from angarium.plugins.gates import Gate
from angarium.plugins.provider import Provider
from angarium.plugins.reports import Listener
from angarium.plugins.sections import FIELDS

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_METHODS = ("open", "send", "parse_callback", "close")
_ASYNC = ("open", "send", "close")
_BETWEEN = ("importlib", "pluggy", "angarium.")
"""Modules between us and a plugin that is loaded."""


class PluginBroken(Exception):
    """A plugin that cannot be used; the text says why, for whoever installed it."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What one plugin registers, or all those that are used.

    isolated: the providers and listeners are proxies of what runs in another process.
    """

    providers: tuple[type[Provider], ...] = ()
    channels: tuple[Channel, ...] = ()
    filters: dict[str, Callable[..., Any]] = {}
    gates: dict[str, Gate] = {}
    listeners: dict[str, Listener] = {}
    isolated: bool = False


def join(one: Registration, other: Registration) -> Registration:
    """What both register; they do not clash."""
    return Registration(
        providers=one.providers + other.providers,
        channels=one.channels + other.channels,
        filters=one.filters | other.filters,
        gates=one.gates | other.gates,
        listeners=one.listeners | other.listeners,
    )


def clash_of(taken: Registration, new: Registration) -> str:
    """Why `new` cannot stand beside what is taken already; "" if it can."""
    clash = taken_name(taken, new)
    if clash:
        return clash
    channels = {channel.name for channel in taken.channels + new.channels}
    for provider in new.providers:
        if provider.channel not in channels:
            return (
                f"{provider.name} delivers on {provider.channel}, a channel that no installed "
                "plugin registers"
            )
    return ""


def taken_name(taken: Registration, new: Registration) -> str:
    """What of `new` has a name that is taken already; "" if nothing."""
    for name in _channel_names(new) & _channel_names(taken):
        return f"there is already a channel named {name}"
    consents = {channel.consent_attribute: channel.name for channel in taken.channels}
    for channel in new.channels:
        if channel.consent_attribute in consents:
            whose = consents[channel.consent_attribute]
            return (
                f"the channel {channel.name} needs a consent of its own: "
                f"{channel.consent_attribute} is that of {whose}"
            )
    here, there = _by_kind(new), _by_kind(taken)
    for kind, names in here.items():
        for name in sorted(names & there[kind]):
            return f"another plugin already has a {kind} named {name}"
    return ""


def _channel_names(registration: Registration) -> set[str]:
    return {channel.name for channel in registration.channels}


def _by_kind(registration: Registration) -> dict[str, set[str]]:
    return {
        "provider": {provider.name for provider in registration.providers},
        "template filter": set(registration.filters),
        "gate": set(registration.gates),
        "report listener": set(registration.listeners),
    }


def read_plugin(point: EntryPoint) -> Registration:
    """Import the plugin and ask its hooks. Raises PluginBroken, whatever the plugin raises."""
    try:
        hook = _register(point).hook
        registration = Registration(
            providers=_all(hook.register_providers()),
            channels=_all(hook.register_channels()),
            filters=_named(hook.register_template_filters()),
            gates=_named(hook.register_gates()),
            listeners=_named(hook.register_report_listeners()),
        )
    except PluginBroken:
        raise
    except (Exception, SystemExit) as error:
        raise PluginBroken(f"{type(error).__name__}: {error}{_place_of(error)}") from error
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


def _place_of(error: BaseException) -> str:
    """Where in the plugin, or in what it uses, that was raised; "" if it was before."""
    place = ""
    for frame, line in walk_tb(error.__traceback__):
        if not frame.f_globals.get("__name__", "").startswith(_BETWEEN):
            place = f" ({Path(frame.f_code.co_filename).name}, line {line})"
    return place


def _all(answers: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(item for answer in answers for item in answer)


def _named(answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: function for answer in answers for name, function in answer.items()}


def _check(registration: Registration) -> None:
    _check_channels(registration.channels)
    _check_functions(registration)
    for provider in registration.providers:
        _check_class(provider)
        _check_methods(provider)
    for kind, names in _names(registration):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PluginBroken(f"registers the {kind} {twice[0]} twice")


def _names(registration: Registration) -> Iterable[tuple[str, list[str]]]:
    yield "channel", [channel.name for channel in registration.channels]
    yield "consent", [channel.consent_attribute for channel in registration.channels]
    yield "provider", [provider.name for provider in registration.providers]


def _check_channels(channels: Iterable[object]) -> None:
    for channel in channels:
        if not isinstance(channel, Channel):
            raise PluginBroken("register_channels returned something that is no Channel")


def _check_functions(registration: Registration) -> None:
    for kind, functions in (("gate", registration.gates), ("listener", registration.listeners)):
        for name, function in functions.items():
            if not _NAME.fullmatch(name):
                raise PluginBroken(
                    f"the {kind} {name!r} must be named in lower case letters, digits and _"
                )
            awaited = inspect.iscoroutinefunction(function)
            if not callable(function) or awaited is not (kind == "listener"):
                wanted = "an `async def`" if kind == "listener" else "a plain function"
                raise PluginBroken(f"the {kind} {name} must be {wanted}")


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
    settings: Any = getattr(provider, "Settings", None)
    if not inspect.isclass(settings):
        raise PluginBroken(f"{where}.Settings must be a msgspec struct, if an empty one")
    taken = FIELDS.intersection(getattr(settings, "__struct_encode_fields__", ()))
    if taken:
        raise PluginBroken(f"{where}.Settings: every section has {min(taken)} already; rename it")


def _check_methods(provider: type[Any]) -> None:
    where = provider.__qualname__
    for method in _METHODS:
        if not callable(getattr(provider, method, None)):
            raise PluginBroken(f"{where} lacks {method}(); inherit from Provider for a default")
    for method in _ASYNC:
        if not inspect.iscoroutinefunction(getattr(provider, method)):
            raise PluginBroken(f"{where}.{method} must be an `async def`")
