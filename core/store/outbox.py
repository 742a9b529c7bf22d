"""Messages to publish once the transaction that wrote them has committed."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import msgspec

from angarium.core.store.protocol import Transaction


class OutboxRow(NamedTuple):
    """The messages of one transaction: (subject, JSON body) each; published as `<id>.<index>`."""

    id: str
    messages: Sequence[tuple[str, str]]


def new_row(messages: Sequence[tuple[str, str]]) -> OutboxRow:
    """A row with an id of its own."""
    return OutboxRow(uuid4().hex, messages)


async def save_outbox(tx: Transaction, row: OutboxRow, now: int) -> None:
    """Write one row."""
    messages = msgspec.json.encode(row.messages).decode()
    await tx.run("save_outbox", id=row.id, messages=messages, now=now)


async def list_outbox(tx: Transaction, before: int, limit: int) -> list[OutboxRow]:
    """Rows written at or before `before` (ms), oldest first: their writers died or fell behind."""
    rows = await tx.fetch("list_outbox", before=before, limit=limit)
    return [OutboxRow(id, _decode(messages)) for id, messages in rows]


async def delete_outbox(tx: Transaction, ids: Sequence[str]) -> int:
    """Forget rows that were published; how many there were."""
    return await tx.run("delete_outbox", ids=list(ids)) if ids else 0


_DECODER = msgspec.json.Decoder(list[tuple[str, str]])
_decode = _DECODER.decode
