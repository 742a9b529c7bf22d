"""The bus as everyone else sees it."""

from collections.abc import Sequence
from itertools import groupby

from angarium.core.bus import api, streams, subjects
from angarium.core.bus.api import StreamState
from angarium.core.bus.errors import BusError
from angarium.core.bus.link import Link
from angarium.core.bus.listener import Listener
from angarium.core.bus.publisher import Publisher
from angarium.core.bus.puller import Puller
from angarium.core.bus.wire import Outgoing

CONNECT_SECONDS = 10.0
MAX_BYTES = 2 * 2**30


class Bus:
    """A connection to NATS that mends itself, and everything that is done over it.

    Make one for each process with `await Bus.connect(url, name=…)`; one event loop, no threads.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._publisher = Publisher(link)

    @classmethod
    async def connect(cls, url: str, *, name: str, limit: float = CONNECT_SECONDS) -> "Bus":
        """Connect to `nats://<token>@host:port`; several servers of a cluster with commas between.

        Raises BusUnavailable if there is no connection within `limit` seconds. Afterwards the bus
        connects again by itself, for ever. `name` is what the server's operator sees.
        """
        link = Link(url, name)
        await link.open(limit)
        return cls(link)

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._link.connected

    @property
    def largest_body(self) -> int:
        """How many bytes the body of a message may have; raises BusUnavailable if not connected."""
        return self._publisher.largest

    async def ensure_streams(
        self,
        *,
        partitions: int = 1,
        max_bytes: int = MAX_BYTES,
        max_message_bytes: int = streams.MAX_MESSAGE_BYTES,
        replicas: int = 1,
    ) -> None:
        """Make all streams, or change them to what is asked; safe from several processes at once.

        `max_bytes` is the size of EVENTS on disk; DECISIONS, FEEDBACK and REPORTS have a quarter
        of it each, REJECTS a sixteenth. `max_message_bytes` counts headers too, about a
        kibibyte. `replicas` counts only when a stream is made.

        Raises BusRefused if the server is too old, has no room, or has the streams with another
        number of partitions; BusUnavailable.
        """
        session = self._link.session
        streams.check_version(session)
        for stream in subjects.PATTERNS:
            config = streams.stream_config(
                stream,
                partitions=partitions,
                max_bytes=max_bytes,
                max_message_bytes=max_message_bytes,
            )
            await streams.ensure_stream(session, config, replicas=replicas)
        self._publisher.stream_limit = max_message_bytes

    async def publish(self, subject: str, body: bytes, *, message_id: str | None = None) -> None:
        """Store one message; durable when it returns. What is published at the same time shares
        one atomic batch, and each caller gets its own outcome.

        Raises BusUnavailable (nobody knows whether it is stored: repeat), BusFull,
        MessageTooLarge, BusRefused. A repeated `message_id` within two minutes is not stored
        twice and is no error.
        """
        await self._publisher.publish([Outgoing(subject, body, message_id)])

    async def publish_all(self, messages: Sequence[Outgoing]) -> None:
        """Store messages together: up to 1,000 of one stream are all stored, or none.

        Longer lists, and lists that change from stream to stream, go in several batches one after
        the other, so that after an error the first ones may be stored: repeat with the same ids.
        """
        named = {message.subject for message in messages}
        stream = {subject: subjects.stream_of(subject) for subject in named}
        for _, run in groupby(messages, lambda message: stream[message.subject]):
            of_stream = list(run)
            most = streams.MOST_MESSAGES
            for first in range(0, len(of_stream), most):
                await self._publisher.publish(of_stream[first : first + most])

    async def notify(self, subject: str, body: bytes = b"") -> None:
        """Send a wake-up that nobody keeps. It may be lost, silently."""
        subjects.check_wake_up(subject)
        try:
            await self._link.session.send(subject, body)
        except BusError:
            return

    def listen(self, subject: str, queue: str = "") -> Listener:
        """Hear wake-ups: `async with bus.listen(subject) as bodies: async for body in bodies`.

        Of several listeners with the same `queue`, one hears each wake-up.
        """
        subjects.check_wake_up(subject)
        return Listener(self._link, subject, queue)

    def pull(
        self, stream: str, *, after: int, partition: int | None = None, batch: int = 500
    ) -> Puller:
        """Read a stream in order from the message after sequence `after` (0: from its beginning).

        `partition` narrows EVENTS to one of its partitions. `batch` is how many messages are asked
        for at a time; at most four times as many are held in memory.
        """
        if partition is not None and stream != subjects.EVENTS:
            raise ValueError(f"{stream} has no partitions")
        subject_filter = None if partition is None else subjects.events_filter(partition)
        return Puller(self._link, stream, after=after, subject_filter=subject_filter, batch=batch)

    async def stream_state(self, stream: str) -> StreamState:
        """Where a stream stands; compare `epoch` with the one kept beside your position."""
        return await api.stream_state(self._link.session, stream)

    async def close(self) -> None:
        """Finish what is being published, then let go; whoever waits otherwise is told."""
        await self._publisher.close()
        await self._link.close()
