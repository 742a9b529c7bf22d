"""Ask now and then whether the other side is still there."""

import asyncio
from collections.abc import Callable


class Heartbeat:
    """Calls `ask` after every `seconds`, and `lost` when no answer came `answer_seconds` later."""

    def __init__(
        self,
        ask: Callable[[], None],
        lost: Callable[[], None],
        *,
        seconds: float,
        answer_seconds: float,
    ) -> None:
        self._ask = ask
        self._lost = lost
        self._seconds = seconds
        self._answer_seconds = answer_seconds
        self._timer: asyncio.TimerHandle | None = None

    def answered(self) -> None:
        """The other side is there (or was just connected to): ask again later."""
        self._set(self._seconds, self._beat)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._set(self._answer_seconds, self._lost)
        self._ask()

    def _set(self, seconds: float, then: Callable[[], None]) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)
