"""What one transaction changes besides its rows: counters, and messages for after the commit."""

from collections.abc import Mapping
from typing import Any

import msgspec

from angarium.core.bus.subjects import reports_subject
from angarium.core.delivery.counts import HOUR, Counts, Standing
from angarium.core.delivery.feedback import Feedback
from angarium.core.delivery.record import Delivery, NewDelivery
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import format_instant
from angarium.core.store.outbox import OutboxRow, new_row, save_outbox
from angarium.core.store.protocol import Transaction

_NAME = 64
"""Characters of a provider's or channel's name."""
_STEPS = (DeliveryState.CLAIMED, DeliveryState.HANDED)

_encode = msgspec.json.Encoder().encode


class Changes:
    """Collected while the transaction runs, written by `save` at its end.

    So counters take one statement and are locked last, and the outbox takes one row.
    """

    def __init__(self, shard: int = 0) -> None:
        """`shard`: the writing process's share of the counters, so that processes do not queue."""
        self._shard = shard
        self._counts = Counts()
        self._messages: list[tuple[str, str]] = []
        self._instants: dict[int, str] = {}
        self._subjects: dict[tuple[str, str, str], str] = {}
        self.due: set[str] = set()
        """Channels on which there is something to deliver now."""

    def say(self, subject: str, body: bytes | str) -> None:
        """Publish `body` (JSON) on `subject` once the transaction has committed."""
        self._messages.append((subject, body if isinstance(body, str) else body.decode()))

    def planned(self, delivery: NewDelivery) -> None:
        """A delivery that was not there before."""
        new = Standing(DeliveryState.PLANNED)
        self._counts.move(delivery.place, None, new)
        self._report(delivery, new, delivery.planned_at, {})
        if delivery.due_at <= delivery.planned_at:
            self.due.add(delivery.channel)

    def moved(self, old: Delivery, new: Delivery, at: int, **facts: Any) -> None:
        """A delivery that stood as `old` and now stands as `new`; `facts` go into the report.

        A worker's own steps (claimed, given back, handed) move counters only: they last
        for milliseconds, and what comes of them is reported.
        """
        standing = new.standing
        self._counts.move(old.place, old.standing, standing)
        given_back = new.state is DeliveryState.PLANNED and not new.reason
        if new.state not in _STEPS and not given_back:
            self._report(new, standing, at, facts)

    def reacted(self, delivery: Delivery, reaction: str, at: int, *, first: bool) -> None:
        """One more reaction; it is reported under its own name."""
        self._counts.react(delivery.place, delivery.provider, reaction, first=first)
        self._report(delivery, delivery.standing, at, {"first": first}, reaction)

    def unknown(self, workspace: str, feedback: Feedback, at: int, count: int = 1) -> None:
        """News that came `at` (ms) and names no message that we know; -1: it is known now."""
        channel, provider = feedback.channel[:_NAME], feedback.provider[:_NAME]
        self._counts.strange(workspace, at // HOUR, channel, provider, feedback.word, count)

    async def save(self, tx: Transaction, now: int) -> OutboxRow | None:
        """Write it all; gives what is to be published after the commit."""
        changes = self._counts.changes()
        if changes:
            rows = [(*key, self._shard, count) for key, count in changes]
            await tx.many("add_delivery_counts", rows)
        if not self._messages:
            return None
        row = new_row(self._messages)
        await save_outbox(tx, row, now)
        return row

    def _report(
        self,
        delivery: Delivery | NewDelivery,
        standing: Standing,
        at: int,
        facts: Mapping[str, Any],
        status: str = "",
    ) -> None:
        status = status or standing.state.value
        body = {
            "delivery": delivery.id,
            "campaign": delivery.campaign,
            "version": delivery.version,
            "step": delivery.step,
            "channel": delivery.channel,
            "provider": standing.provider,
            "status": status,
            "reason": standing.reason,
            "at": self._instant(at),
            "profile": delivery.profile_id,
            "requestId": delivery.request_id,
            **facts,
        }
        subject = self._subject(delivery.workspace, delivery.channel, status)
        self._messages.append((subject, _encode(body).decode()))

    def _instant(self, at: int) -> str:
        """Most changes of a transaction happen at the same instant."""
        text = self._instants.get(at)
        if text is None:
            text = self._instants[at] = format_instant(at)
        return text

    def _subject(self, workspace: str, channel: str, status: str) -> str:
        subject = self._subjects.get((workspace, channel, status))
        if subject is None:
            subject = reports_subject(workspace, channel, status)
            self._subjects[workspace, channel, status] = subject
        return subject
