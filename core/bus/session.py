"""One connection to NATS, from its opening to its loss."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from angarium.core.bus.errors import BusError, BusUnavailable
from angarium.core.bus.library import Client, Msg, Subscription, errors

T = TypeVar("T")

log = structlog.get_logger()

Take = Callable[[str, str, bytes], None]
"""Takes subject, reply subject and body of a message."""


class DirectClient(Client):
    """Hands the messages of some subscriptions over as soon as they are read off the wire.

    A queue, a task's turn and the headers, at which nobody here looks, cost more than all the rest
    of receiving a message. Should nats-py ever rename what is used here, only time is lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self._takers: dict[int | None, Take] = {}

    def shorten(self, subscription: Subscription, take: Take) -> None:
        """Give messages with a reply subject to `take`; all others go the usual way."""
        self._takers[getattr(subscription, "_id", None)] = take

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        take = self._takers.get(sid)
        if take is None or not reply:
            await super()._process_msg(sid, subject, reply, data, headers)
        elif sid in self._subs:
            take(subject.decode(), reply.decode(), data)


class Session:
    """One connection, from its opening to its loss."""

    def __init__(self, client: DirectClient) -> None:
        self._client = client
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def largest(self) -> int:
        """How many bytes of headers and body together the server takes in a message."""
        return int(self._client.max_payload)

    def end(self) -> None:
        """Note that the connection is gone; wakes everybody who waits on it."""
        if not self.lost.done():
            self.lost.set_result(None)

    async def ask(
        self, subject: str, body: bytes, *, limit: float, headers: dict[str, str] | None = None
    ) -> bytes:
        """Send a request and return the body of the answer; raises BusUnavailable."""
        asking = self._client.request(subject, body, timeout=limit, headers=headers)
        return (await self.within(limit, asking)).data

    async def send(
        self, subject: str, body: bytes, *, headers: dict[str, str] | None = None, reply: str = ""
    ) -> None:
        """Send without waiting for any answer."""
        try:
            await self._client.publish(subject, body, reply=reply, headers=headers)
        except (errors.Error, OSError) as error:
            raise BusUnavailable(f"the connection to NATS failed: {error}") from error

    async def subscribe(
        self, subject: str, on_msg: Callable[[Msg], Awaitable[None]], queue: str = ""
    ) -> Subscription:
        """Have `on_msg` called for each message, one at a time, in order; no limit on the queue."""
        try:
            subscribe: Any = self._client.subscribe  # pyright: ignore  # partly untyped there
            subscription: Subscription = await subscribe(
                subject, queue=queue, cb=on_msg, pending_msgs_limit=0, pending_bytes_limit=0
            )
            return subscription
        except (errors.Error, OSError) as error:
            raise BusUnavailable(f"the connection to NATS failed: {error}") from error

    def shorten(self, subscription: Subscription, take: Take) -> None:
        """Have messages with a reply subject, in their order, given to `take` where possible;
        it must be quick. Those without still come to the subscription, perhaps later."""
        self._client.shorten(subscription, take)

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; of no consequence if the connection is gone."""
        try:
            await subscription.unsubscribe()
        except (errors.Error, OSError):
            return

    async def within(self, limit: float, work: Coroutine[Any, Any, T]) -> T:
        """Finish `work`, or raise BusUnavailable after `limit` seconds or at once when the
        connection is lost."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(_forget)
        try:
            await asyncio.wait(
                (task, self.lost), timeout=limit + 0.1, return_when="FIRST_COMPLETED"
            )
            if task.done():
                return task.result()
        except BusError:
            raise
        except (TimeoutError, errors.NoRespondersError) as error:
            raise BusUnavailable(_NO_ANSWER) from error
        except (errors.Error, OSError) as error:
            raise BusUnavailable(f"the connection to NATS failed: {error}") from error
        finally:
            task.cancel()
        raise BusUnavailable("the connection to NATS was lost" if self.lost.done() else _NO_ANSWER)

    async def flush(self, limit: float) -> None:
        """Wait until the server has dealt with everything that was sent so far."""
        await self.within(limit, self._client.flush())

    async def close(self) -> None:
        """Close the connection."""
        try:
            await self._client.close()
        except Exception as error:  # whatever is wrong with it, it is being thrown away
            log.debug("bus_close_failed", error=type(error).__name__)

    @property
    def version(self) -> tuple[int, int]:
        """The server's version, major and minor."""
        version = self._client.connected_server_version
        return version.major, version.minor

    @property
    def closed(self) -> bool:
        """Whether the client has given the connection up."""
        return bool(self._client.is_closed)


_NO_ANSWER = (
    "nats-server gave no answer in time. If its disk was full it answers again only after a "
    "restart, even when there is space again"
)


def _forget(task: "asyncio.Task[Any]") -> None:
    """Take note of the outcome of work that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
