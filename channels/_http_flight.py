"""How far an HTTP request came: only one that surely never left may be sent again."""

from contextvars import ContextVar
from typing import Any, Final

import aiohttp


class Flight:
    """One request. waited: for one of our connections. left: its first byte may be written."""

    __slots__ = ("left", "waited")

    def __init__(self) -> None:
        self.waited = False
        self.left = False


FLIGHT: Final[ContextVar[Flight]] = ContextVar("flight")
"""Of the request that the task at hand makes."""


class FlightConnector(aiohttp.TCPConnector):
    """Notes on the request's flight how far it came, and lets none leave twice.

    aiohttp's traces would tell as much, for a sixth of all that a request costs.
    """

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        flight = FLIGHT.get()
        if flight.left:
            # aiohttp would send a GET again whose connection broke, and that may be an SMS.
            raise aiohttp.ServerDisconnectedError
        connection = await super().connect(*args, **kwargs)
        flight.left = True
        return connection

    async def _wait_for_available_connection(self, *args: Any, **kwargs: Any) -> None:
        FLIGHT.get().waited = True
        await super()._wait_for_available_connection(*args, **kwargs)
