"""Signals as events: the first asks for an orderly end, the second for a quick one."""

import asyncio
import signal
from types import TracebackType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """While entered, signals that would end the process set `stop`, then `hasten`."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hasten = asyncio.Event()

    def __enter__(self) -> "Signals":
        for number in ENDING:
            asyncio.get_running_loop().add_signal_handler(number, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number in ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _receive(self) -> None:
        (self.hasten if self.stop.is_set() else self.stop).set()
