"""How plugins fare, as each process of ours that runs them last told."""

from collections.abc import Sequence
from typing import Final

import msgspec

from angarium.core.store.protocol import Transaction

PREFIX: Final = "plugin:"
"""Of names in the table `instance`."""

_encode = msgspec.json.Encoder().encode


class PluginHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one plugin fares in one process; `at` in ms.

    serves: the provider, or "report listeners". process: "deliver", "core"; host, pid: which.
    state: idle, runs, rests (it died, and is started again soon), aside (left alone for long).
    failures: all that was held against it since the process began; last: the last of them.
    """

    plugin: str
    serves: str
    process: str
    host: str
    pid: int
    state: str
    failures: int
    last: str
    at: int


async def save_health(tx: Transaction, health: PluginHealth) -> None:
    """Keep it instead of what the same process told before."""
    await tx.run("save_plugin_health", name=_name(health), value=_encode(health).decode())


async def list_health(tx: Transaction, since: int) -> list[PluginHealth]:
    """What was told at `since` (ms) or later."""
    return [health for health in await _all(tx) if health.at >= since]


async def forget_health(tx: Transaction, before: int, mine: Sequence[PluginHealth] = ()) -> None:
    """Forget what was told before that instant (ms), and `mine`."""
    old = [health for health in await _all(tx) if health.at < before]
    names = sorted({_name(health) for health in (*old, *mine)})
    if names:
        await tx.run("forget_plugin_health", names=names)


async def _all(tx: Transaction) -> list[PluginHealth]:
    rows = await tx.fetch("list_plugin_health")
    return [msgspec.json.decode(value, type=PluginHealth) for _, value in rows]


def _name(health: PluginHealth) -> str:
    place = (health.plugin, health.serves, health.process, health.host, str(health.pid))
    return PREFIX + ":".join(place)
