"""Apply a batch of messages to the store, in the caller's transaction, exactly once.

A message whose id is in the log already has no effect. Everything else that follows from a
message - whose it is, attributes, totals, runs, deliveries - is written here, together.
"""

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.told import read_told
from angarium.core.events.message import Message
from angarium.core.events.times import MINUTE
from angarium.core.events.values import Problem
from angarium.core.people import profile as rules
from angarium.core.people.profile import Profile
from angarium.core.store import rejects
from angarium.core.store.changes import Changes
from angarium.core.store.protocol import Transaction
from angarium.core.workers.devices import hear_devices
from angarium.core.workers.enrol import Enrolment
from angarium.core.workers.identities import settle
from angarium.core.workers.joins import check_current, find_joins, save_joins
from angarium.core.workers.knowledge import Knowledge
from angarium.core.workers.people import People, gather, join, merge_rows
from angarium.core.workers.rebuild import resettle

SLOT = 30 * MINUTE
EVENTS = frozenset({"track", "page", "screen"})

_encode = msgspec.json.Encoder().encode


class Batch:
    """One batch on its way through: what is known, what is collected to be written."""

    def __init__(
        self, knowledge: Knowledge, enrolment: Enrolment, changes: Changes, now: int, region: str
    ) -> None:
        self.workspace = knowledge.workspace
        self.knowledge = knowledge
        self.joins = knowledge.joins
        self.enrolment = enrolment
        self.changes = changes
        self.now = now
        self.region = region
        self.problems: list[tuple[str, Problem]] = []
        self.log: list[tuple[object, ...]] = []
        self.counts: dict[tuple[str, int], int] = {}
        self.spans: dict[str, list[int]] = {}
        """Of each event: how many, the first and the last instant."""
        self.rebuild: set[str] = set()

    def refuse(self, message: Message, problem: Problem) -> None:
        """Note a value that is not stored (S2.12)."""
        self.problems.append((message.id, problem))


async def apply_messages(
    tx: Transaction, batch: Batch, messages: Sequence[Message], shard: int
) -> int:
    """Apply what is new among `messages`; gives how many were. `ids` must be set."""
    fresh = await _unseen(tx, batch, messages)
    joining = await find_joins(tx, batch.workspace, fresh, batch.joins, batch.refuse)
    fresh, batch.joins = joining.messages, joining.joins
    settled = await settle(tx, batch.workspace, fresh, joining.joins, joining.merges)
    crowd = await gather(tx, batch.workspace, settled.wanted, batch.now)
    check_current(crowd.profiles.values())
    await save_joins(tx, batch.workspace, joining)
    await join(tx, crowd, settled)
    batch.rebuild |= settled.rebuild
    await hear_devices(tx, batch, crowd, settled, fresh)
    pairs = list(zip(fresh, settled.owners, strict=True))
    occurred = [(owner, m.name) for m, owner in pairs if m.kind in EVENTS]
    await crowd.load_totals(tx, {*occurred, *batch.enrolment.totals_needed(occurred)})
    await batch.enrolment.join(tx, settled.merges, crowd, batch.changes)
    await batch.enrolment.load(tx, pairs)
    for message, owner in pairs:
        _fold(batch, crowd, message, owner)
    await crowd.save(tx)
    await _write(tx, batch, shard, merge_rows(batch.workspace, settled.merges, batch.now))
    if settled.unsettled or batch.rebuild:
        await resettle(tx, batch, crowd, settled.unsettled.values())
    await batch.enrolment.save(tx, batch.changes)
    return len(fresh)


async def _unseen(tx: Transaction, batch: Batch, messages: Iterable[Message]) -> list[Message]:
    """The first of each id that is not in the log, and whose event's name is admitted."""
    first: dict[str, Message] = {}
    for message in messages:
        first.setdefault(message.id, message)
    if not first:
        return []
    rows = await tx.fetch("find_seen", workspace=batch.workspace, ids=list(first))
    for (seen,) in rows:
        del first[seen]
    return [message for message in first.values() if _admitted(batch, message)]


def _admitted(batch: Batch, message: Message) -> bool:
    if message.kind not in EVENTS or batch.knowledge.admit(message.name):
        return True
    reason = "there are too many event names; put what varies into properties"
    batch.refuse(message, Problem("event", "too_many_event_names", reason, message.name))
    return False


def _fold(batch: Batch, crowd: People, message: Message, owner: str) -> None:
    person = crowd.profiles[owner]
    person.see(message.at)
    if rules.touches(message):
        _absorb(batch, person, message)
    elif '"consents"' in person.state_text and rules.hear_logins(person.state, message):
        person.touch()
    body: object = message.properties
    if message.kind in EVENTS:
        _tell_reaction(batch, message)
        if message.properties:
            report = partial(batch.refuse, message)
            message.properties = batch.knowledge.clean(message.name, message.properties, report)
            body = message.properties
        crowd.add_occurrence(owner, message)
        _count(batch, message)
        batch.enrolment.occurred(crowd, person, message)
    elif message.kind in ("identify", "alias"):
        body = _identify_body(message)
    batch.log.append(_log_row(batch.workspace, message, owner, _encode(body).decode()))


def _tell_reaction(batch: Batch, message: Message) -> None:
    """What it says of a delivery takes the way of all such news."""
    told = read_told(message.name, message.properties, message.id, message.at)
    if told is not None:
        batch.changes.say(feedback_subject(batch.workspace), _encode(told))


def _absorb(batch: Batch, person: Profile, message: Message) -> None:
    report = partial(batch.refuse, message)
    types = batch.knowledge.types
    rules.absorb(person.state, message, types, batch.region, report)
    person.touch()
    late = not message.known or batch.joins.is_early(message.user_id, message.at)
    if late and person.user_id is not None and rules.speaks_of_consent(message, types):
        batch.rebuild.add(person.id)


def _identify_body(message: Message) -> dict[str, object]:
    body: dict[str, object] = {"traits": message.traits}
    if message.hints:
        body["hints"] = message.hints
    if message.operations is not None:
        body["operations"] = message.operations
    if message.previous_ids:
        body["previous"] = message.previous_ids
    return body


def _log_row(workspace: str, message: Message, owner: str, body: str) -> tuple[object, ...]:
    return (
        workspace,
        message.id,
        owner,
        message.at,
        message.received_at,
        message.kind,
        message.name,
        message.anonymous_id,
        message.user_id,
        message.device_id,
        message.request_id,
        body,
    )


def _count(batch: Batch, message: Message) -> None:
    name, at = message.name, message.at
    key = (name, at // SLOT)
    batch.counts[key] = batch.counts.get(key, 0) + 1
    span = batch.spans.get(name)
    if span is None:
        batch.spans[name] = [1, at, at]
        return
    span[0] += 1
    if at < span[1]:
        span[1] = at
    elif at > span[2]:
        span[2] = at


async def _write(
    tx: Transaction, batch: Batch, shard: int, merges: list[tuple[object, ...]]
) -> None:
    workspace = batch.workspace
    await tx.many("add_events", [*batch.log, *merges])
    await batch.knowledge.save(tx)
    names = [(workspace, name, *span) for name, span in sorted(batch.spans.items())]
    await tx.many("count_names", names)
    counts = [(workspace, *key, shard, count) for key, count in sorted(batch.counts.items())]
    await tx.many("count_events", counts)
    await rejects.save(tx, workspace, batch.problems, batch.changes, batch.now)
