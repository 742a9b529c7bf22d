"""One consumer's life: made at a sequence, asked for messages, given up at the first irregularity.

The server counts what it delivers to a consumer; a number left out means that a message was lost on
the way, and then the consumer is worth nothing any more. Nothing is repaired here: the puller
makes another feed where this one stopped being in order.
"""

import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from angarium.core.bus import api
from angarium.core.bus.errors import BusError
from angarium.core.bus.library import Msg, Subscription
from angarium.core.bus.replies import read_reply
from angarium.core.bus.session import Session

SECOND = 10**9
IDLE_SECONDS = 60
"""How long the server keeps a consumer that nobody asks."""
EXPIRES_SECONDS = 30
REQUEST_BYTES = 16 * 2**20

_STATUS = "Status"
_LEFT = "Nats-Pending-Messages"
_HEARTBEAT = "100"


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message as it stands in its stream. `at`: when the stream stored it (ms)."""

    sequence: int
    subject: str
    body: bytes
    at: int


class Feed:
    """Messages of one stream in order, from `start` on, handed to `deliver`.

    `stir` is called whenever there is something to look at. `trouble` says why the feed is no
    longer any good; `wanted` is how many messages have been asked for and not come.
    """

    def __init__(
        self,
        session: Session,
        stream: str,
        *,
        batch: int,
        heartbeat: float,
        deliver: Callable[[Received], None],
        stir: Callable[[], None],
    ) -> None:
        self._session = session
        self._stream = stream
        self._name = uuid.uuid4().hex
        self._inbox = f"_INBOX.{self._name}"
        self._deliver = deliver
        self._stir = stir
        self._delivered = 0
        self._subscription: Subscription | None = None
        self._batch = batch
        self._request = _pull_request(batch, heartbeat, max(REQUEST_BYTES, 2 * session.largest))
        self.wanted = 0
        self.heard = True
        self.trouble: str | None = None

    async def open(self, start: int, subject_filter: str | None) -> None:
        """Make the consumer. Raises BusUnavailable or BusRefused."""
        self._session.lost.add_done_callback(self._on_lost)
        self._subscription = await self._session.subscribe(self._inbox, self._on_msg)
        self._session.shorten(self._subscription, self._take)
        path = f"CONSUMER.CREATE.{self._stream}.{self._name}"
        config = _consumer_config(self._name, start, subject_filter)
        body = {"stream_name": self._stream, "config": config, "action": "create"}
        await api.ask(self._session, path, body)

    async def ask(self) -> None:
        """Ask for one more batch."""
        self.wanted += self._batch
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}"
        try:
            await self._session.send(subject, self._request, reply=self._inbox)
        except BusError as error:
            self._fail(str(error))

    async def close(self) -> None:
        """Stop; the server forgets the consumer now if it can be told, else by itself."""
        self._fail("closed")
        self._session.lost.remove_done_callback(self._on_lost)
        if self._subscription is None:
            return
        await self._session.unsubscribe(self._subscription)
        try:
            await self._session.send(f"$JS.API.CONSUMER.DELETE.{self._stream}.{self._name}", b"")
        except BusError:
            return

    async def _on_msg(self, msg: Msg) -> None:
        if msg.reply:
            self._take(msg.subject, msg.reply, msg.data)
        else:
            self._on_status(msg.headers or {})

    def _take(self, subject: str, reply: str, body: bytes) -> None:
        if self.trouble is not None:
            return
        self.heard = True
        self.wanted -= 1
        self._delivered += 1
        sequence, number, at = read_reply(reply)
        if number == self._delivered:
            self._deliver(Received(sequence, subject, body, at))
        else:
            self._fail(f"delivery {self._delivered} is missing")

    def _on_status(self, headers: dict[str, str]) -> None:
        self.heard = True
        status = headers.get(_STATUS, "")
        if status == _HEARTBEAT:
            return
        left = headers.get(_LEFT)
        if left is None:
            self._fail(f"status {status} {headers.get('Description', '')}".strip())
            return
        self.wanted -= int(left)
        self._stir()

    def _on_lost(self, _: object) -> None:
        self._fail("connection lost")

    def _fail(self, reason: str) -> None:
        self.trouble = self.trouble or reason
        self._stir()


def _pull_request(batch: int, heartbeat: float, most_bytes: int) -> bytes:
    request = {
        "batch": batch,
        "expires": EXPIRES_SECONDS * SECOND,
        "idle_heartbeat": int(heartbeat * SECOND),
        "max_bytes": most_bytes,
    }
    return msgspec.json.encode(request)


def _consumer_config(name: str, start: int, subject_filter: str | None) -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": name,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": start,
        # Nothing is ever delivered twice to one consumer, so that its numbers tell of every loss.
        "ack_policy": "none",
        "replay_policy": "instant",
        "mem_storage": True,
        "num_replicas": 1,
        "inactive_threshold": IDLE_SECONDS * SECOND,
    }
    if subject_filter is not None:
        config["filter_subject"] = subject_filter
    return config
