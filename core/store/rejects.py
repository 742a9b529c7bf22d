"""The list of what was not stored, and why (S2.12)."""

from collections.abc import Sequence

import msgspec

from angarium.config.limits import REJECT_VALUE_LENGTH
from angarium.core.bus.subjects import rejects_subject
from angarium.core.events.times import format_instant
from angarium.core.events.values import Problem
from angarium.core.store.changes import Changes
from angarium.core.store.protocol import Transaction


async def save(
    tx: Transaction,
    workspace: str,
    problems: Sequence[tuple[str, Problem]],
    changes: Changes,
    now: int,
) -> None:
    """Write (message id, problem) pairs, and have them published without the values."""
    rows = [(workspace, now, id, p.field, p.code, p.reason, shorten(p.value)) for id, p in problems]
    await tx.many("add_rejects", rows)
    for id, problem in problems:
        body = {
            "at": format_instant(now),
            "messageId": id,
            "field": problem.field,
            "code": problem.code,
            "reason": problem.reason,
        }
        changes.say(rejects_subject(workspace), msgspec.json.encode(body))


def shorten(value: object) -> str | None:
    """The beginning of a value as JSON, without characters that a store cannot hold."""
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value, order=None).decode()
    text = text[:REJECT_VALUE_LENGTH].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode()
