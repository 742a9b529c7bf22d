"""Report listeners of a stranger's plugin: all of one plugin in one process of their own."""

import asyncio
import os
from collections.abc import Sequence
from typing import Final

import msgspec

from angarium.core.workers.listeners import Unavailable
from angarium.gateway.isolation.home import Home
from angarium.gateway.isolation.keeper import Keeper, Resting
from angarium.gateway.isolation.life import Lost
from angarium.gateway.isolation.wire import Done, Point, Start
from angarium.plugins.reports import Listener, Report

REPORT_SECONDS: Final = 30.0

_encode = msgspec.json.Encoder().encode


class ListenerFailed(Exception):
    """It raised, or did not end in time."""


class IsolatedListener:
    """A listener that is called here and runs there."""

    def __init__(self, name: str, keeper: Keeper) -> None:
        self.name = name
        self.keeper = keeper

    async def __call__(self, report: Report) -> None:
        """Raises ListenerFailed, and Unavailable while there is no process."""
        try:
            life = await self.keeper.life()
        except Resting as resting:
            raise Unavailable(resting.reason) from None
        try:
            async with asyncio.timeout(REPORT_SECONDS):
                said = (await life.call("report", _encode(report), name=self.name)).said
        except TimeoutError:
            self.keeper.broke(f"the listener {self.name} did not end in time")
            raise ListenerFailed("did not end in time") from None
        match said:
            case Done():
                self.keeper.behaved()
            case Lost(reason):
                raise ListenerFailed(f"its process {reason}")
            case failed:
                self.keeper.broke(f"the listener {self.name} raised {failed.reason}", failed.where)
                raise ListenerFailed(f"raised {failed.reason}")

    async def close(self) -> None:
        """End its process, if no other listener of its plugin has."""
        await self.keeper.close()


def isolate_listeners(point: Point, names: Sequence[str], home: Home) -> dict[str, Listener]:
    """The proxies of a plugin's listeners."""
    parent = os.getpid()

    def order() -> Start:
        return Start("serve", point, parent, home.memory_bytes, home.files, home.hang_seconds)

    keeper = Keeper(point[0], "report listeners", home, order, ())
    return {name: IsolatedListener(name, keeper) for name in names}
