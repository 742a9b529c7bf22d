"""Turn the stream of events into people, totals, runs and deliveries, each message once.

One reader a partition takes messages in order, opens them while the last batch is being written,
and applies a batch in one transaction together with its new position. Moving the position is the
fence: a reader whose partition somebody else has taken writes nothing.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
import structlog

from angarium.config.limits import EVENT_NAMES, MESSAGE_BYTES
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import StreamReset
from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import EVENTS, workspace_of
from angarium.core.events.envelope import Origin, open_envelope
from angarium.core.events.message import Message
from angarium.core.events.values import Problem
from angarium.core.store import rejects
from angarium.core.store.changes import Changes
from angarium.core.store.errors import Contention, Refused, StoreError
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.workspaces import DEFAULT
from angarium.core.workers.apply import Batch, apply_messages
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.enrol import Enrolment
from angarium.core.workers.knowledge import Knowledge, load_knowledge
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.place import Place
from angarium.core.workers.rules import RuleShelf
from angarium.core.workers.workspaces import Workspaces, unknown_workspace

log: Any = structlog.get_logger()

PAUSE_SECONDS = 0.5
MESSAGES_AT_ONCE = 2_000
"""In one transaction, or a little more; others wait for the store meanwhile."""


class Opened(msgspec.Struct):
    """Stream messages, opened: by workspace what may be stored and what is refused."""

    last: int
    messages: dict[str, list[Message]]
    refused: dict[str, list[tuple[str, Problem]]]


class IngestSettings(msgspec.Struct, frozen=True):
    """region: of numbers without a country code. batch: stream messages in one transaction."""

    region: str = "IR"
    batch: int = 2_000
    message_bytes: int = MESSAGE_BYTES
    event_names: int = EVENT_NAMES


class Ingest:
    """The reader of one partition."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        publisher: Publisher,
        rules: RuleShelf,
        settings: IngestSettings,
        now: Now,
        *,
        partition: int = 0,
    ) -> None:
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._rules = rules
        self._settings = settings
        self._now = now
        self._partition = partition
        self._knowledge: dict[str, Knowledge] = {}
        self._place = Place(EVENTS, partition)
        self._workspaces = Workspaces(store)
        self.applied = 0
        self.strange = 0
        """Stream messages under the name of no workspace."""

    async def run(self) -> None:
        """Read until cancelled. Raises Fenced."""
        while True:
            await self._place.find(self._store, self._bus, self._publisher)
            try:
                await self._read()
            except StreamReset as reset:
                log.error("events_stream_is_new", partition=self._partition, reason=str(reset))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        waiting: asyncio.Queue[Opened] = asyncio.Queue(1)
        puller = self._bus.pull(EVENTS, after=self._place.position, partition=self._partition)

        async def fetch() -> None:
            async with puller:
                while True:
                    received = await puller.get(self._settings.batch)
                    named = [(workspace_of(item.subject), item) for item in received]
                    strange = await self._strangers([name for name, _ in named])
                    for opened in self._open(named, strange):
                        await waiting.put(opened)

        async def work() -> None:
            while True:
                opened = await waiting.get()
                await self._apply(opened)
                await puller.ack(opened.last)

        await _until_one_ends(fetch(), work())

    async def _strangers(self, names: Collection[str]) -> set[str]:
        """The names that are no workspace's; the store is asked only where one is new."""
        while True:
            try:
                strange = await self._workspaces.strangers(names)
            except StoreError as error:
                log.warning("ingest_waits", partition=self._partition, reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if strange:
                count = sum(1 for name in names if name in strange)
                self.strange += count
                log.warning("unknown_workspace", partition=self._partition, count=count)
            return strange

    def _open(
        self, named: Sequence[tuple[str, Received]], strange: Collection[str]
    ) -> Iterator[Opened]:
        """Open (workspace, stream message) pairs, in portions that one transaction may hold."""
        opened = Opened(0, {}, {})
        size = 0
        for workspace, item in named:
            size += self._open_one(opened, workspace, item, known=workspace not in strange)
            opened.last = item.sequence
            if size >= MESSAGES_AT_ONCE:
                yield opened
                opened, size = Opened(0, {}, {}), 0
        if size:
            yield opened

    def _open_one(self, opened: Opened, workspace: str, item: Received, *, known: bool) -> int:
        origin = Origin(self._place.epoch, item.sequence, item.at)
        refused = opened.refused.setdefault(workspace if known else DEFAULT, [])
        if not known:
            refused.append((origin.message_id(0), unknown_workspace(workspace)))
            return 1
        messages = opened.messages.setdefault(workspace, [])
        size = 0
        for member in open_envelope(item.body, origin, most_bytes=self._settings.message_bytes):
            size += 1
            if isinstance(member, Message):
                messages.append(member)
            else:
                id, why = member
                refused.append((id, Problem(why.field, why.code, why.reason, None)))
        return size

    async def _apply(self, opened: Opened) -> None:
        crash_point("ingest.opened")
        while True:
            try:
                await self._commit(opened)
            except Contention as error:
                log.info("ingest_again", partition=self._partition, reason=str(error))
            except Refused as error:
                opened = await self._part(opened, str(error))
            except StoreError as error:
                log.warning("ingest_waits", partition=self._partition, reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return

    async def _commit(self, opened: Opened) -> None:
        def work(tx: Transaction, changes: Changes) -> Any:
            return self._work(tx, changes, opened)

        await self._publisher.commit(work)
        crash_point("ingest.committed")
        for workspace in opened.messages:
            self._knowledge[workspace].commit()
        self._place.position = opened.last
        self.applied += sum(len(messages) for messages in opened.messages.values())

    async def _work(self, tx: Transaction, changes: Changes, opened: Opened) -> None:
        await self._place.advance(tx, opened.last)
        await self._rules.refresh(tx)
        for workspace, messages in opened.messages.items():
            await self._apply_workspace(tx, changes, workspace, messages)
        for workspace, refused in opened.refused.items():
            await rejects.save(tx, workspace, refused, changes, self._now())
        crash_point("ingest.before_commit")

    async def _apply_workspace(
        self, tx: Transaction, changes: Changes, workspace: str, messages: list[Message]
    ) -> None:
        knowledge = self._knowledge.get(workspace)
        if knowledge is None:
            knowledge = self._knowledge[workspace] = await load_knowledge(
                tx,
                workspace,
                self._settings.event_names,
                tuple(self._rules.channels.values()),
            )
        knowledge.begin()
        now = self._now()
        enrolment = Enrolment(self._rules, workspace, now, self._partition)
        batch = Batch(knowledge, enrolment, changes, now, self._settings.region)
        try:
            await apply_messages(tx, batch, messages, self._partition)
        except Contention:
            del self._knowledge[workspace]
            raise

    async def _part(self, opened: Opened, why: str) -> Opened:
        """Find the message that no store can hold, and put it with the refused ones."""
        total = sum(len(messages) for messages in opened.messages.values())
        if total <= 1:
            for workspace, messages in opened.messages.items():
                problem = Problem("", "refused_by_store", "the store cannot hold it", None)
                bad = [(message.id, problem) for message in messages]
                opened.refused.setdefault(workspace, []).extend(bad)
            log.error("message_refused", partition=self._partition, reason=why)
            return Opened(opened.last, {}, opened.refused)
        for workspace, messages in opened.messages.items():
            half = len(messages) // 2
            for part in (messages[:half], messages[half:]):
                await self._apply(Opened(self._place.position, {workspace: part}, {}))
        return Opened(opened.last, {}, opened.refused)


async def _until_one_ends(*jobs: Any) -> None:
    """Run together; when one raises, end the others and raise it."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
