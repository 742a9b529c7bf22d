"""The children together: started one after the other, stopped in the order that loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from angarium.gateway.supervisor.child import Child, Part

HASTY_SECONDS = 2.0  # after a second signal


class StartFailed(Exception):
    """A part ended by itself before everything was ready."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended with status {code} while starting; its log says why")
        self.name = name
        self.code = code


class Crew:
    """Keeps parts running. `changed()` is called whenever a pid changes."""

    def __init__(self, changed: Callable[[], None], inherit: Sequence[int] = ()) -> None:
        self._children: dict[str, Child] = {}
        self._changed = changed
        self._inherit = inherit
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run now, by part."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    def start(self, parts: Iterable[Part]) -> None:
        """Start parts and keep them running."""
        for part in parts:
            child = Child(part, self._changed, self._on_death, self._inherit)
            self._children[part.name] = child
            child.start()

    async def until(self, ready: Awaitable[Any], stopped: asyncio.Event) -> bool:
        """Wait for `ready`; False when `stopped` came first.

        Raises StartFailed when a part ends by itself with an error meanwhile: it would do so
        again. One that was killed is started again, as always.
        """
        waiting = asyncio.ensure_future(ready)
        stopping = asyncio.create_task(stopped.wait())
        ends: set[asyncio.Future[Any]] = {waiting, stopping, self._failed}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
            if waiting.done():
                waiting.result()
            return not stopped.is_set()
        finally:
            waiting.cancel()
            stopping.cancel()
            await asyncio.gather(waiting, stopping, return_exceptions=True)

    def _on_death(self, name: str, code: int) -> None:
        if code > 0 and not self._failed.done():
            self._failed.set_exception(StartFailed(name, code))
            self._failed.exception()  # once all is ready nobody asks any more, and that is well

    async def stop(self, order: Sequence[str], hasten: asyncio.Event) -> bool:
        """Stop all, each after the one before it in `order`; all at once when `hasten` is set.

        False if one had to be killed.
        """
        for child in self._children.values():
            child.retire()
        orderly = asyncio.create_task(self._stop_in(order))
        hurry = asyncio.create_task(hasten.wait())
        await asyncio.wait((orderly, hurry), return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if orderly.done():
            return orderly.result()
        orderly.cancel()
        await asyncio.gather(orderly, return_exceptions=True)
        return all(
            await asyncio.gather(*(child.stop(HASTY_SECONDS) for child in self._children.values()))
        )

    async def _stop_in(self, order: Sequence[str]) -> bool:
        ordered = [self._children[name] for name in order if name in self._children]
        others = [child for child in self._children.values() if child not in ordered]
        return all([await child.stop() for child in (*others, *ordered)])
