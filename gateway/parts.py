"""What the doors are made of, put together once in bootstrap and handed to every handler."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from litestar.di import NamedDependency

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.delivery.links import Links
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import Now
from angarium.gateway.keyring import Keyring
from angarium.gateway.metrics import Metrics
from angarium.plugins.manager import Plugins
from angarium.plugins.provider import Provider


class AllParts(msgspec.Struct, frozen=True):
    """Nothing in it is replaced while the process lives.

    plugins: what the settings need. workspace: what the routes without a key belong to.
    callbacks: the providers whose callbacks have been read; it grows. load_all: loads whatever is
    installed, to list it, where that is more than `plugins`; it takes its time.
    """

    store: Store
    bus: Bus
    settings: Settings
    plugins: Plugins
    now: Now
    keyring: Keyring
    links: Links
    metrics: Metrics
    workspace: str = "default"
    callbacks: dict[str, Provider] = {}
    load_all: Callable[[], Plugins] | None = None


Parts: TypeAlias = NamedDependency[AllParts]
"""How handlers ask for them: `parts: Parts`."""
