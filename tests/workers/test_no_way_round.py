"""S2.10, B3: no order of events reaches somebody who opted out. A random history on both stores.

Campaigns, decisions, test sends, retries, resends, fallbacks and callbacks come in any order with
what the person says of each channel, at the doors, by the link or as a reply, late words included,
and between the judgement and the hand-over above all. The oracle is the list of those words; it is
asked at the commit of every hand-over. A history in which nobody was stopped shows nothing: that
some were, at the gates and at the last moment, is part of the test.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from angarium.core.bus.bus import Bus
from angarium.core.bus.feed import Received
from angarium.core.bus.link import Link
from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import OPERATOR, RESEND, Feedback
from angarium.core.delivery.links import Links
from angarium.core.delivery.promises import (
    after_acceptance,
    after_delay,
    after_doubt,
    after_lost_worker,
    after_refusal,
)
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.routes import Board, Route, Routes, Standing
from angarium.core.delivery.status import DeliveryState
from angarium.core.delivery.templates import Templates
from angarium.core.events.times import DAY, HOUR
from angarium.core.people.identity import profile_of_user
from angarium.core.store.attempts import Answer, Judged, hand_over, record
from angarium.core.store.campaigns import create_campaign
from angarium.core.store.campaigns import move as move_campaign
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import claim, lock, plan, save_moves
from angarium.core.store.open import open_store
from angarium.core.store.open import sqlite_url as url_of
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.store.suppressions import release
from angarium.core.workers import consent
from angarium.core.workers.facts import Case, FactFinder, Outlet
from angarium.core.workers.fallbacks import Fallbacks
from angarium.core.workers.feedback import FeedbackReader
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.verdicts import judge_all, write_all
from angarium.plugins.channel import EMAIL, SMS
from tests.databases import PostgresServer
from tests.delivery.examples import NOW, new_delivery
from tests.workers.offices import CAMPAIGN
from tests.workers.people import apply, said

T = TypeVar("T")
S = DeliveryState
CHANNELS = {"email": EMAIL, "sms": SMS}
NAMES = st.sampled_from(sorted(CHANNELS))
PERSON = profile_of_user("default", "u1")
POLICY = RetryPolicy(attempts=9)
NOWHERE = "nats://127.0.0.1:9"
ADDRESSES = {"email": "ann@example.org", "sms": "+989121234567"}
RENDERER = Renderer(Templates(), Links(b"secret", "https://gw.example"))
ROUTES = Routes([Route(name="any")])
SOURCES = st.sampled_from(["campaign", "decision", "test", "journey"])
WITHDRAWALS = ("door", "page", "link", "complaint", "stop")
ANSWERS: dict[str, Callable[[Delivery, int], Delivery]] = {
    "take": lambda row, now: after_acceptance(row, "", now),
    "refuse": lambda row, _: after_refusal(row, "no"),
    "delay": lambda row, now: after_delay(row, "busy", now, POLICY, None),
    "lose": lambda row, now: after_doubt(row, "lost", now, POLICY),
}


class History(RuleBasedStateMachine):
    """One person, a campaign with a fallback, and everything that may happen."""

    loop: asyncio.AbstractEventLoop
    database: Callable[[], AbstractAsyncContextManager[str]]
    sends = 0
    skipped = 0
    stopped = 0

    def __init__(self) -> None:
        super().__init__()
        self._opened = AsyncExitStack()
        self.now = NOW
        self.count = 0
        self.heard = 0
        self.words: dict[str, tuple[int, bool]] = {}
        self.silenced: set[str] = set()
        self.judged: list[Judged] = []
        self.flying: list[Delivery] = []
        self.sent: list[str] = []
        self.sent_on: dict[str, str] = {}

    @initialize()
    def begin(self) -> None:
        self.loop.run_until_complete(self._open())
        for channel in CHANNELS:
            for source in ("campaign", "decision", "test"):
                self.plan(channel, source, "marketing", "at_least_once")

    def teardown(self) -> None:
        self.loop.run_until_complete(self._opened.aclose())

    async def _open(self) -> None:
        url = await self._opened.enter_async_context(type(self).database())
        self.store: Store = await open_store(url)
        self._opened.push_async_callback(self.store.close)
        bus = Bus(Link(NOWHERE, "test"))
        publisher = Publisher(self.store, bus, lambda: self.now)
        self.fallbacks = Fallbacks(self.store, publisher, CHANNELS, lambda: self.now)
        self.reader = FeedbackReader(self.store, bus, publisher, consent.opt_out, lambda: self.now)
        self.finder = FactFinder(CHANNELS, "UTC")
        body: dict[str, Any] = {**CAMPAIGN}
        body["content"] = {**CAMPAIGN["content"], "fallback": {"after": "PT1H"}}
        async with self.store.transaction() as tx:
            text = msgspec.json.encode(body).decode()
            campaign = await create_campaign(tx, "default", "cmp_1", "Any", text, NOW)
            await move_campaign(tx, "default", campaign, "active", NOW)
        traits = {"email": ADDRESSES["email"], "mobile": ADDRESSES["sms"]}
        first = said("m0", "identify", user_id="u1", traits=traits)
        await apply(self.store, "default", [first])

    def tick(self) -> int:
        self.count += 1
        self.now += 2
        return self.count

    def note(self, channel: str, at: int, opted_in: bool) -> None:
        if channel not in self.words or self.words[channel][0] < at:
            self.words[channel] = (at, opted_in)

    def do(self, work: Callable[[Transaction, Changes], Awaitable[T]]) -> T:
        async def attempt(tx: Transaction) -> T:
            changes = Changes()
            result = await work(tx, changes)
            await changes.save(tx, self.now)
            return result

        return self.loop.run_until_complete(transact(self.store, attempt))

    @rule(channel=NAMES, opted_in=st.booleans(), late=st.booleans())
    def speak(self, channel: str, opted_in: bool, late: bool) -> None:
        """At a door, by an SDK; `late`: the word is of an hour ago."""
        id = f"m{self.tick()}"
        at = self.now - NOW - (HOUR + 1 if late else 0)
        traits = {f"{channel}_opt_in": opted_in}
        word = said(id, "identify", user_id="u1", traits=traits, at=at)
        self.loop.run_until_complete(apply(self.store, "default", [word]))
        self.note(channel, NOW + at, opted_in)

    @rule(channel=NAMES, opted_in=st.booleans(), by_link=st.booleans())
    def choose(self, channel: str, opted_in: bool, by_link: bool) -> None:
        """On the page of preferences, or one click, or a reply."""
        id = f"c{self.tick()}"
        opted_in = opted_in and by_link
        at = self.now
        words = (PERSON, channel, opted_in, at, id, "preferences")
        self.do(lambda tx, _: consent.choose(tx, "default", *words))
        self.note(channel, at, opted_in)

    @rule(
        channel=NAMES,
        source=SOURCES,
        class_=st.sampled_from(["marketing", "transactional"]),
        promise=st.sampled_from(["at_most_once", "at_least_once"]),
    )
    def plan(self, channel: str, source: str, class_: str, promise: str) -> None:
        new = new_delivery(
            f"dlv_{self.tick()}",
            profile_id=PERSON,
            channel=channel,
            source=source,
            class_=class_,
            promise=promise,
            test=source == "test",
            planned_at=self.now,
            due_at=self.now,
            expires_at=self.now + 99 * DAY,
            fallback_after=HOUR if channel == "email" else None,
        )
        self.do(lambda tx, changes: plan(tx, [new], changes))

    @rule(channel=NAMES)
    def ask_the_gates(self, channel: str) -> None:
        self.tick()
        claimed = self.do(lambda tx, c: claim(tx, "w1", channel, 3, c, self.now))

        async def find() -> list[Case]:
            async with self.store.reading() as tx:
                return await self.finder.find(tx, claimed, Outlet(CHANNELS[channel]), self.now)

        cases = self.loop.run_until_complete(find())
        board = Board(ROUTES, {"any": Standing(places=99)}, self.now)
        asked = [one.judged for one in write_all(judge_all(cases, board), RENDERER)]
        History.skipped += sum(one.wanted.reason == "opted_out" for one in asked)
        self.judged += asked

    @precondition(lambda self: self.judged)
    @rule()
    def hand_over(self) -> None:
        self.tick()
        judged, self.judged = self.judged, []
        done = self.do(lambda tx, c: hand_over(tx, judged, c, self.now))
        # What a lost worker had judged is of an earlier generation than what was judged since.
        latest = {item.claimed.key: item for item in judged}
        for item in latest.values():
            if item.wanted.state is S.HANDED and item.wanted.key not in done:
                History.stopped += 1
            elif item.wanted.state is S.HANDED:
                channel = item.wanted.channel
                _, wanted = self.words.get(channel, (0, True))
                assert wanted, f"{item.wanted.source} on {channel}"
                assert channel not in self.silenced, f"{item.wanted.source} to who said STOP"
                self.flying.append(item.wanted)
                self.sent.append(item.wanted.id)
                self.sent_on[item.wanted.id] = channel
                History.sends += 1

    @rule(channel=NAMES, answer=st.sampled_from(sorted(ANSWERS)))
    def work(self, channel: str, answer: str) -> None:
        """A whole round of a worker."""
        self.ask_the_gates(channel)
        self.hand_over()
        if self.flying:
            self.answer(answer)

    @precondition(lambda self: self.flying)
    @rule(answer=st.sampled_from(sorted(ANSWERS)))
    def answer(self, answer: str) -> None:
        self.tick()
        handed = self.flying.pop()
        said = Answer(handed, ANSWERS[answer](handed, self.now))
        self.do(lambda tx, c: record(tx, [said], c, self.now))

    @precondition(lambda self: self.flying or self.judged)
    @rule()
    def lose_the_worker(self) -> None:
        self.tick()
        keys = {row.key for row in self.flying} | {one.claimed.key for one in self.judged}
        self.flying = []

        async def sweep(tx: Transaction, changes: Changes) -> None:
            rows = [row for row in await lock(tx, keys) if row.state in (S.CLAIMED, S.HANDED)]
            moves = [(row, after_lost_worker(row)) for row in rows]
            await save_moves(tx, moves, changes, self.now)

        self.do(sweep)

    @precondition(lambda self: self.sent)
    @rule(word=st.sampled_from(["delivered", "bounced", "failed", "opened", "dismissed"]))
    def call_back(self, word: str) -> None:
        if word in ("opened", "dismissed"):
            self.hear(word, delivery=self.sent[-1])
        else:
            self.hear("status", status=word, delivery=self.sent[-1])

    @precondition(lambda self: self.sent)
    @rule(word=st.sampled_from(["resend", RESEND]), which=st.integers(0, 9))
    def send_again(self, word: str, which: int) -> None:
        """An operator says so, of what is in doubt or was given up."""
        delivery = self.sent[which % len(self.sent)]
        self.hear(OPERATOR, status=word, delivery=delivery)

    def hear(self, kind: str, **said: Any) -> None:
        """From the stream of feedback."""
        self.heard += 1
        id = f"f{self.tick()}"
        body = msgspec.json.encode(Feedback(kind, self.now, id=id, **said))
        received = Received(self.heard, feedback_subject("default"), body, self.now)
        self.loop.run_until_complete(self.reader.apply([received]))

    @rule(channel=NAMES, way=st.sampled_from(WITHDRAWALS))
    def withdraw(self, channel: str, way: str) -> None:
        """In whatever way one may."""
        self.tick()
        sent = [id for id, on in self.sent_on.items() if on == channel]
        if way == "stop":
            self.silenced.add(channel)
            self.hear("unsubscribed", channel=channel, address=ADDRESSES[channel])
        elif way in ("link", "complaint") and sent:
            kind = "unsubscribed" if way == "link" else "complained"
            self.hear(kind, delivery=sent[-1])
            self.note(channel, self.now, False)
            if way == "complaint":
                self.silenced.add(channel)
        elif way == "page":
            self.choose(channel, False, True)
        else:
            self.speak(channel, False, False)

    @rule(channel=NAMES, way=st.sampled_from(WITHDRAWALS), source=SOURCES)
    def withdraw_at_the_last_moment(self, channel: str, way: str, source: str) -> None:
        """Between the judgement and the hand-over; then the gates are asked again."""
        self.come_back(channel)
        for _ in range(2):  # the first, so that there is something to answer
            if self.judged:
                self.hand_over()
            self.plan(channel, source, "marketing", "at_least_once")
            self.ask_the_gates(channel)
        self.withdraw(channel, way)
        for _ in range(2):
            if self.judged:
                self.hand_over()
            self.ask_the_gates(channel)

    @rule(channel=NAMES)
    def come_back(self, channel: str) -> None:
        """An operator frees the address, and the person wants messages again."""
        self.do(lambda tx, _: release(tx, "default", channel, ADDRESSES[channel]))
        self.silenced.discard(channel)
        self.choose(channel, True, True)

    @rule(hours=st.integers(0, 3))
    def wait(self, hours: int) -> None:
        """Timers run out; retries are due."""
        self.now += hours * HOUR
        self.loop.run_until_complete(self.fallbacks.fire())


def run(database: Callable[[], AbstractAsyncContextManager[str]], examples: int) -> None:
    """Random histories, each on an empty database."""
    loop = asyncio.new_event_loop()
    machine = type("Run", (History,), {"loop": loop, "database": staticmethod(database)})
    how = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        phases=(Phase.reuse, Phase.generate),  # to shrink takes longer than a test may
        suppress_health_check=list(HealthCheck),
    )
    before = History.sends, History.skipped, History.stopped
    try:
        run_state_machine_as_test(machine, settings=how)
    finally:
        loop.close()
    after = History.sends, History.skipped, History.stopped
    assert all(more > fewer for more, fewer in zip(after, before, strict=True)), (before, after)


def test_no_history_reaches_who_opted_out_on_sqlite(tmp_path: Path, sqlite_template: Path) -> None:
    @asynccontextmanager
    async def database() -> AsyncIterator[str]:
        path = Path(mkdtemp(dir=tmp_path)) / "history.db"
        shutil.copy(sqlite_template, path)
        yield url_of(path)

    run(database, 40)


def test_no_history_reaches_who_opted_out_on_postgres(
    postgres: PostgresServer, postgres_template: str
) -> None:
    run(lambda: postgres.database(postgres_template), 12)
