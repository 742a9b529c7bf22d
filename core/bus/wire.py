"""How messages are handed to JetStream: one alone, or several as an atomic batch."""

import uuid
from collections.abc import Sequence

import msgspec

from angarium.core.bus.api import DUPLICATE_IN_BATCH, Fault, fault_error
from angarium.core.bus.errors import BusError, BusRefused
from angarium.core.bus.session import Session

STORE_SECONDS = 10.0


class Outgoing(msgspec.Struct, frozen=True):
    """A message to be published.

    With a `message_id`, a second message of the same id within two minutes is not stored again.
    One that `joins` is JSON whose readers take an array of such as well: it may be stored as part
    of one, with others of its subject that are published at the same time.
    """

    subject: str
    body: bytes
    message_id: str | None = None
    joins: bool = False


class _Answer(msgspec.Struct):
    error: Fault | None = None
    count: int = 0


_decode = msgspec.json.Decoder(_Answer).decode


def join(messages: Sequence[Outgoing], most_bytes: int) -> list[Outgoing]:
    """The same in fewer messages, of `most_bytes` at most unless one alone is larger.

    The order within a subject stays. A message costs the server a sync of its disk, or, in an
    atomic batch, as much again as its body.
    """
    joined: list[Outgoing] = []
    open_ones: dict[str, list[bytes]] = {}
    sizes: dict[str, int] = {}
    for message in messages:
        if not message.joins:
            joined.append(message)
            continue
        subject, size = message.subject, len(message.body) + 1
        if subject in open_ones and sizes[subject] + size > most_bytes:
            joined.append(_array(subject, open_ones.pop(subject)))
        if subject not in open_ones:
            open_ones[subject], sizes[subject] = [], 1
        open_ones[subject].append(message.body)
        sizes[subject] += size
    joined.extend(_array(subject, bodies) for subject, bodies in open_ones.items())
    return joined


def _array(subject: str, bodies: list[bytes]) -> Outgoing:
    if len(bodies) == 1:
        return Outgoing(subject, bodies[0])
    return Outgoing(subject, b"[" + b",".join(bodies) + b"]")


async def store(session: Session, messages: Sequence[Outgoing]) -> None:
    """Have JetStream store all messages, or none; durable when it returns.

    Raises BusUnavailable, BusFull or BusRefused. Several messages must belong to one stream.
    """
    if not messages:
        return
    if len(messages) == 1:
        await _store_one(session, messages[0])
    else:
        await session.within(STORE_SECONDS, _store_batch(session, messages))


def is_duplicate(error: BusError | None) -> bool:
    """Whether a batch was refused because one of its message ids is known already."""
    return isinstance(error, BusRefused) and error.code == DUPLICATE_IN_BATCH


async def _store_one(session: Session, message: Outgoing) -> None:
    headers = {"Nats-Msg-Id": message.message_id} if message.message_id else None
    answer = await session.ask(message.subject, message.body, limit=STORE_SECONDS, headers=headers)
    _check(answer)


async def _store_batch(session: Session, messages: Sequence[Outgoing]) -> None:
    batch = uuid.uuid4().hex
    last = len(messages)
    for number, message in enumerate(messages, 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if message.message_id:
            headers["Nats-Msg-Id"] = message.message_id
        if number < last:
            await session.send(message.subject, message.body, headers=headers)
            continue
        # Only the last one asks: if any before it was lost or refused, its answer says so.
        headers["Nats-Batch-Commit"] = "1"
        answer = await session.ask(
            message.subject, message.body, limit=STORE_SECONDS, headers=headers
        )
        _check(answer, last)


def _check(answer: bytes, count: int = 0) -> None:
    """Raise what an answer says, and if it does not answer for a batch of `count` messages."""
    decoded = _decode(answer)
    if decoded.error is not None:
        raise fault_error(decoded.error, "publish")
    if decoded.count != count:
        raise BusRefused("nats-server did not treat the messages as one batch")
