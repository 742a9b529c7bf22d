"""N4: whatever happens, in whatever order, the figures add up. A random history on both stores.

After every step the counters must be what counting the rows gives, planned must be the sum of the
other six, and nothing that a provider took may ever be unsent again. The oracle is a list of what
the providers of the history really did.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from angarium.core.delivery.counts import totals
from angarium.core.delivery.feedback import Feedback
from angarium.core.delivery.promises import (
    after_acceptance,
    after_delay,
    after_doubt,
    after_pause,
    after_refusal,
    end_unsent,
)
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState, base
from angarium.core.events.times import HOUR, MINUTE
from angarium.core.store.attempts import Answer, Judged, Suppressed, hand_over, record, suppress
from angarium.core.store.changes import Changes
from angarium.core.store.feedback import apply_feedback, settle
from angarium.core.store.leases import WORKER, take_lease
from angarium.core.store.ledger import (
    Withdrawal,
    cancel,
    claim,
    move_profile,
    plan,
    release,
    take_back,
)
from angarium.core.store.open import open_store
from angarium.core.store.open import sqlite_url as url_of
from angarium.core.store.outcomes import (
    Dimensions,
    Filters,
    StoredDelivery,
    list_deliveries,
    sum_counts,
)
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.store.sweeps import find_expired, sweep_expired, sweep_orphans
from tests.databases import PostgresServer
from tests.delivery.examples import NOW, new_delivery

T = TypeVar("T")
S = DeliveryState
POLICY = RetryPolicy(attempts=3)
IDS = st.integers(0, 7).map(lambda n: f"dlv_{n:02}")
PEOPLE = st.sampled_from(["prf_1", "prf_2", "prf_3"])
REACTIONS = ("opened", "clicked")
WORDS = st.sampled_from(("accepted", "delivered", "undelivered", "bounced", "expired", *REACTIONS))
DEEDS = st.sampled_from(["take", "take", "refuse", "delay", "pause", "lose", "die"])
"""What a provider does; of `lose` the worker learns only that it does not know."""
WORKERS = st.sampled_from(["w1", "w2"])
SENT = {"accepted", "delivered", "undelivered", "bounced", "expired"}


class History(RuleBasedStateMachine):
    """Everything that may happen to a dozen deliveries."""

    store: Store
    loop: asyncio.AbstractEventLoop
    database: Callable[[], AbstractAsyncContextManager[str]]

    def __init__(self) -> None:
        super().__init__()
        self._opened = AsyncExitStack()
        self.now = NOW
        self.claims: list[Delivery] = []
        self.flying: list[Delivery] = []
        self.late: list[Answer] = []
        self.sent: Counter[str] = Counter()
        self.taken: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.loop.run_until_complete(self._open())
        for n in range(4):
            self.plan(
                f"dlv_{n:02}", f"prf_{n % 3 + 1}", "at_least_once" if n % 2 else "at_most_once"
            )

    def teardown(self) -> None:
        self.loop.run_until_complete(self._opened.aclose())

    async def _open(self) -> None:
        url = await self._opened.enter_async_context(type(self).database())
        self.store = await open_store(url)
        self._opened.push_async_callback(self.store.close)

    def do(self, work: Callable[[Transaction, Changes], Awaitable[T]]) -> T:
        async def attempt(tx: Transaction) -> T:
            changes = Changes()
            result = await work(tx, changes)
            await changes.save(tx, self.now)
            return result

        return self.loop.run_until_complete(transact(self.store, attempt))

    @rule(id=IDS, person=PEOPLE, promise=st.sampled_from(["at_most_once", "at_least_once"]))
    def plan(self, id: str, person: str, promise: str) -> None:
        new = new_delivery(
            id,
            profile_id=person,
            promise=promise,
            planned_at=self.now,
            due_at=self.now,
            expires_at=self.now + HOUR,
            triggered_at=self.now,
        )
        self.do(lambda tx, c: plan(tx, [new], c))

    @rule(person=PEOPLE, ago=st.sampled_from([0, 1, 10]))
    def stop(self, person: str, ago: int) -> None:
        gone = [Withdrawal("default", person, "cmp_1", self.now - ago * MINUTE)]
        self.do(lambda tx, c: cancel(tx, gone, "stopped", c, self.now))

    @rule(worker=WORKERS, limit=st.integers(1, 4))
    def claim(self, worker: str, limit: int) -> None:
        self.claims += self.do(lambda tx, c: claim(tx, worker, "email", limit, c, self.now))

    @rule(worker=WORKERS, did=DEEDS, recorded=st.booleans())
    def deliver(self, worker: str, did: str, recorded: bool) -> None:
        """Several steps that otherwise would seldom follow on each other."""
        self.now += MINUTE
        claims = self.do(lambda tx, c: claim(tx, worker, "email", 2, c, self.now))
        for mine in claims:
            self._judge(mine, "send")
        for one in self.flying[-len(claims) :] if claims else []:
            self.flying.remove(one)
            self._answer(one, did, recorded)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), verdict=st.sampled_from(["send", "send", "hold", "skip", "fail"]))
    def judge(self, data: st.DataObject, verdict: str) -> None:
        mine = self.claims.pop(data.draw(st.integers(0, len(self.claims) - 1)))
        self._judge(mine, verdict)

    def _judge(self, mine: Delivery, verdict: str) -> None:
        wanted = self._verdict(mine, verdict)
        judged = Judged(mine, wanted, "[]", '{"address": "a@b.c"}', None)
        done = self.do(lambda tx, c: hand_over(tx, [judged], c, self.now))
        if done and wanted.state is S.HANDED:
            self.flying.append(wanted)

    def _verdict(self, mine: Delivery, verdict: str) -> Delivery:
        match verdict:
            case "send":
                attempt = mine.attempt + 1
                return move(mine, S.HANDED, provider="p", handed_at=self.now, attempt=attempt)
            case "hold":
                return move(mine, S.HELD, reason="hours", due_at=self.now + MINUTE, worker=None)
            case "skip":
                return end_unsent(mine, S.SKIPPED, "opted_out", worker=None)
            case _:
                return end_unsent(mine, S.FAILED, "render_failed", worker=None)

    @precondition(lambda self: self.flying)
    @rule(
        data=st.data(),
        did=DEEDS,
        recorded=st.booleans(),
    )
    def answer(self, data: st.DataObject, did: str, recorded: bool) -> None:
        """The provider acts; the answer may be lost with its worker."""
        one = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self._answer(one, did, recorded)

    def _answer(self, one: Delivery, did: str, recorded: bool) -> None:
        if did in ("take", "lose"):
            self.sent[one.id] += 1
        answers = {
            "take": after_acceptance(one, f"m-{one.id}", self.now),
            "refuse": after_refusal(one, "no"),
            "delay": after_delay(one, "busy", self.now, POLICY, None),
            "pause": after_pause(one, "away", self.now + MINUTE),
            "lose": after_doubt(one, "lost", self.now, POLICY),
        }
        if did != "die":
            self.late.append(Answer(one, answers[did]))
        if recorded:
            self._record(len(self.late) - 1)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def late_answer(self, data: st.DataObject) -> None:
        """A worker that was away for longer than its lease still has something to say."""
        self._record(data.draw(st.integers(0, len(self.late) - 1)))

    def _record(self, index: int) -> None:
        if self.late:
            answer = self.late.pop(index)
            self.do(lambda tx, c: record(tx, [answer], c, self.now))

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def never_sent(self, data: st.DataObject) -> None:
        """A worker that could not learn whether its commit took effect."""
        one = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.do(lambda tx, c: take_back(tx, [one], c, self.now))

    @rule(worker=WORKERS, alive=st.booleans())
    def lease(self, worker: str, alive: bool) -> None:
        until = self.now + (HOUR if alive else 0)
        name = WORKER + worker
        self.do(lambda tx, c: take_lease(tx, name, worker, until, self.now))

    @rule(limit=st.integers(1, 5))
    def sweep(self, limit: int) -> None:
        self.do(lambda tx, c: sweep_orphans(tx, limit, c, self.now))

    @rule()
    def sweep_expired(self) -> None:
        async def work(tx: Transaction, changes: Changes) -> int:
            keys = await find_expired(tx, self.now, 3)
            return await sweep_expired(tx, keys, self.now, changes, self.now)

        self.do(work)

    @rule(worker=WORKERS)
    def drain(self, worker: str) -> None:
        self.claims = [one for one in self.claims if one.worker != worker]
        self.do(lambda tx, c: release(tx, worker, None, c, self.now))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), word=WORDS)
    def feedback(self, data: st.DataObject, word: str) -> None:
        """Only of what was really sent: providers do not invent."""
        id = data.draw(st.sampled_from(sorted(self.sent)))
        kind = {"kind": word} if word in REACTIONS else {"kind": "status", "status": word}
        piece = Feedback(at=self.now, delivery=id, id="x", **kind)
        self.do(lambda tx, c: apply_feedback(tx, "default", [piece, piece], c, self.now))

    @rule(id=IDS, again=st.booleans())
    def operator(self, id: str, again: bool) -> None:
        """Who looks at the provider's own log, or dares to send again."""
        truth = "sent" if self.sent[id] else "not_sent"
        word: Any = "send_again" if again else truth
        self.do(lambda tx, c: settle(tx, "default", id, word, c, self.now))

    @rule(one=PEOPLE, other=PEOPLE)
    def merge(self, one: str, other: str) -> None:
        if one != other:
            self.do(lambda tx, c: move_profile(tx, "default", one, other, c, self.now))

    @rule()
    def suppress(self) -> None:
        dead = Suppressed("default", "email", "a@b.c", "bounced", self.now)
        self.do(lambda tx, _: suppress(tx, [dead]))

    @rule(minutes=st.sampled_from([1, 10, 45]))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @invariant()
    def all_is_accounted_for(self) -> None:
        rows, counted, receipts = self.loop.run_until_complete(self._look())
        states = Counter(base(S(row.state)).value for row in rows)
        assert counted == states
        assert receipts == Counter(row.state for row in rows if base(S(row.state)) != row.state)
        found = totals(states.items())
        assert found["planned"] == len(rows) == sum(found.values()) - found["planned"]
        for row in rows:
            self._check(row)

    def _check(self, row: StoredDelivery) -> None:
        """Each entry of the providers' log is an accepted, doubtful, waiting or re-sent row."""
        sent = self.sent[row.id]
        assert sent <= 1 + row.resends
        if row.state in SENT:
            assert sent
            self.taken.add(row.id)
        if row.id in self.taken:
            assert row.state in SENT
        if sent and not row.resends:
            assert row.state in SENT | {"in_doubt", "handed"}

    async def _look(self) -> tuple[list[StoredDelivery], Counter[str], Counter[str]]:
        async with self.store.reading() as tx:
            rows = await list_deliveries(tx, "default", Filters(), (2**60, ""), 1000)
            found = await sum_counts(tx, "default", (0, 2**40), None, Dimensions())
        states = Counter({one.name: one.count for one in found if one.kind == "state"})
        receipts = Counter({one.name: one.count for one in found if one.kind == "receipt"})
        return rows, states, receipts


def run(database: Callable[[], AbstractAsyncContextManager[str]], examples: int) -> None:
    """Random histories, each on an empty database."""
    loop = asyncio.new_event_loop()
    machine = type("Run", (History,), {"loop": loop, "database": staticmethod(database)})
    how = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=how)
    finally:
        loop.close()


def test_any_history_on_sqlite(tmp_path: Path, sqlite_template: Path) -> None:
    @asynccontextmanager
    async def database() -> AsyncIterator[str]:
        path = Path(mkdtemp(dir=tmp_path)) / "history.db"
        shutil.copy(sqlite_template, path)
        yield url_of(path)

    run(database, 60)


def test_any_history_on_postgres(postgres: PostgresServer, postgres_template: str) -> None:
    run(lambda: postgres.database(postgres_template), 12)
