"""A vendor on loopback that knows the office's clock, and keeps who came when."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec

from angarium.channels.webhook import WEBHOOK
from angarium.channels.webhook_http import WebhookHttp, WebhookHttpSettings
from angarium.core.delivery.record import NewDelivery
from angarium.core.delivery.routes import Route
from angarium.core.events.times import DAY, SECOND
from angarium.plugins.channel import EMAIL, SMS
from angarium.plugins.settings import decode_settings
from tests.counterparts.http_scripted import HttpScripted, Reply, http_scripted, says
from tests.delivery.examples import NOW, new_delivery
from tests.workers.offices import Office

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
CHANNELS = (EMAIL, SMS, WEBHOOK)
CONTENT = {
    "order": ["webhook", "email", "sms"],
    "webhook": {"type": "points.added", "data": {"text": "Hello"}},
    "email": {"subject": "Hello", "text": "Hello"},
    "sms": {"text": "Hello"},
}


class Came(msgspec.Struct, frozen=True):
    """A request: when it came by the office's clock (ms), and the message it brought."""

    at: int
    id: str


class Vendor:
    """`answer` says what becomes of a message, by its id; a test may put another in its place."""

    def __init__(self, office: Office, server: HttpScripted) -> None:
        self.server = server
        self.answer: Callable[[str], Reply] = lambda _: says(200, b"ok")
        self.came: list[Came] = []
        self._office = office
        server.reply = self._reply

    async def _reply(self, writer: Any) -> None:
        came = Came(self._office.now, self.server.heard[-1].headers["webhook-id"])
        self.came.append(came)
        await self.answer(came.id)(writer)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.came]

    @property
    def times(self) -> list[int]:
        return [one.at for one in self.came]

    def date(self, later: int = 0) -> str:
        """The office's time, and so many ms later, as HTTP writes it."""
        moment = datetime.fromtimestamp((self._office.now + later) / 1000, UTC)
        return format_datetime(moment, usegmt=True)

    def provider(self, **settings: Any) -> WebhookHttp:
        """That posts to this vendor."""
        given = {"url": self.server.url, "secret": SECRET, "allow_private": True, **settings}
        return WebhookHttp(decode_settings(WebhookHttpSettings, given, "channels.webhook_http"))

    def route(self, name: str = "webhook_http", **settings: Any) -> tuple[Route, WebhookHttp]:
        """The same as a section of the settings."""
        names = {one: settings.pop(one) for one in ("order", "per_second") if one in settings}
        return Route(name=name, **names), self.provider(**settings)


@asynccontextmanager
async def vendor_of(office: Office) -> AsyncGenerator[Vendor, None]:
    """Another vendor, until the end of the block."""
    async with http_scripted() as server:
        yield Vendor(office, server)


def to_webhook(*ids: str, **changes: Any) -> list[NewDelivery]:
    """Messages on the channel `webhook`, of use for ten days."""
    facts = {"channel": "webhook", "expires_at": NOW + 10 * DAY, **changes}
    return [new_delivery(id, **facts) for id in ids]


def named(prefix: str, count: int) -> list[str]:
    return [f"{prefix}_{number:03}" for number in range(count)]


def most_in_a_second(times: Iterable[int]) -> int:
    """The most that came in any second, wherever it begins."""
    window: deque[int] = deque()
    most = 0
    for at in sorted(times):
        window.append(at)
        while window[0] <= at - SECOND:
            window.popleft()
        most = max(most, len(window))
    return most


def resets(writer: Any) -> None:
    """From here on the connection's end is a reset."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def settled(vendor: Vendor) -> None:
    """Wait until nothing has come for a few rounds of the ledger.

    Where a round is slower than that, what follows is asked at a later time: the drill then sees
    less, and nothing wrong.
    """
    seen = -1
    while seen != len(vendor.came):
        seen = len(vendor.came)
        await asyncio.sleep(0.025)
