"""The hooks that a plugin may implement.

Hooks only register: pluggy does not await, so what they return is called directly later.
Each is called once, when a process of the gateway starts.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pluggy

from angarium.plugins.channel import Channel
from angarium.plugins.gates import Gate
from angarium.plugins.provider import Provider
from angarium.plugins.reports import Listener

hookspec = pluggy.HookspecMarker("angarium")
hookimpl = pluggy.HookimplMarker("angarium")


@hookspec
def register_providers() -> Iterable[type[Provider]]:
    """Return the provider classes that this plugin adds.

    Only those with a section `[channels.<name>]` in the settings are built.
    """
    ...


@hookspec
def register_channels() -> Iterable[Channel]:
    """Return the new media that this plugin adds; needed only beside the four we have."""
    ...


@hookspec
def register_template_filters() -> Mapping[str, Callable[..., Any]]:
    """Return Liquid filters by name; each takes the value on its left, then its arguments."""
    ...


@hookspec
def register_gates() -> Mapping[str, Gate]:
    """Return rules by name that may hold or skip what all of our gates would send."""
    ...


@hookspec
def register_report_listeners() -> Mapping[str, Listener]:
    """Return coroutine functions by name; each is given every change of every delivery.

    One that raises or takes too long is asked again a few times, then goes without that report.
    """
    ...
