"""The store in PostgreSQL, through a pool of connections.

The pool drops connections that broke and makes new ones when they are wanted, so it survives a
restart of the server; what was under way raises StoreUnavailable.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from angarium.core.store.catalogue import Catalogue
from angarium.core.store.errors import Contention, QueryMistake, StoreUnavailable
from angarium.core.store.migrate import Migration, apply
from angarium.core.store.postgres_errors import CAUGHT, meaning
from angarium.core.store.protocol import Dialect, Row, Transaction

T = TypeVar("T")

CONNECTIONS = 10
CONNECT_SECONDS = 10
ACQUIRE_SECONDS = 60
"""How long to wait for a connection of the pool before giving up with Contention."""
STATEMENT_SECONDS = 300
CLOSE_SECONDS = 10
STATEMENTS = 512
"""Prepared statements kept for each connection: more than there are queries."""
QUERIES_EACH = 1_000_000
"""After so many queries a connection is replaced; asyncpg's 50,000 would last a minute here."""
SETTINGS = {
    "application_name": "angarium",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",  # compiling costs more than our short statements take
}
SCHEMA_LOCK = 0x616E676172
"""Advisory lock of those who migrate; any number that nobody else uses."""

WRITING = "begin isolation level read committed"
READING = "begin isolation level repeatable read read only"


Link: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


class PostgresStore:
    """See protocol.Store."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        queries: Catalogue,
        migrations: Sequence[Migration],
    ) -> None:
        """Use `PostgresStore.open`."""
        self._pool = pool
        self._queries = queries
        self._migrations = migrations
        self._writing: set[asyncio.Task[Any] | None] = set()

    @classmethod
    async def open(
        cls, url: str, queries: Catalogue, migrations: Sequence[Migration]
    ) -> "PostgresStore":
        """Connect once, to see that it works. Raises StoreUnavailable."""
        pool = asyncpg.create_pool(
            url,
            min_size=0,  # asyncpg complains aloud if it cannot keep up another number
            max_size=CONNECTIONS,
            max_queries=QUERIES_EACH,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            reset=_keep,
            server_settings=SETTINGS,
        )
        await pool
        store = cls(pool, queries, migrations)
        try:
            await store._release(await store._acquire())
        except ValueError as error:
            raise StoreUnavailable(f"database.url cannot be read: {error}") from error
        return store

    @property
    def dialect(self) -> Dialect:
        return "postgres"

    async def migrate(self) -> int:
        """See protocol.Store."""
        async with self._begin(WRITING) as tx:
            return await apply(tx, self._migrations)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """See protocol.Store."""
        task = asyncio.current_task()
        if task in self._writing:
            raise QueryMistake("this task is in a transaction already")
        async with self._begin(WRITING) as tx:
            self._writing.add(task)
            try:
                yield tx
            finally:
                self._writing.remove(task)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Transaction]:
        """See protocol.Store."""
        async with self._begin(READING) as tx:
            yield tx

    async def close(self) -> None:
        """See protocol.Store."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            return  # asyncpg has cut what was still in use

    @asynccontextmanager
    async def _begin(self, begin: str) -> "AsyncGenerator[_Transaction]":
        link = await self._acquire()
        tx = _Transaction(link, self._queries, readonly=begin is READING)
        try:
            await tx.script(begin)
            yield tx
            await tx.script("commit")
        except BaseException:
            await _roll_back(link)
            raise
        finally:
            tx.ended = True
            await self._release(link)

    async def _acquire(self) -> Link:
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                return await self._pool.acquire()
        except TimeoutError:
            raise Contention(
                "all connections to the database have been busy for too long"
            ) from None
        except CAUGHT as error:
            raise meaning(error, closed=True) from error

    async def _release(self, link: Link) -> None:
        try:
            await self._pool.release(link)
        except CAUGHT as error:
            raise meaning(error, closed=True) from error


class _Transaction:
    """See protocol.Transaction."""

    exclusive = False

    def __init__(self, link: Link, queries: Catalogue, *, readonly: bool) -> None:
        self._link = link
        self._queries = queries
        self._readonly = readonly
        self.ended = False

    async def fetch(self, query: str, /, **params: Any) -> Sequence[Row]:
        found = self._queries[query]
        values = found.numbered(params)
        self._check()
        rows: list[Any] = await self._ask(lambda: self._link.fetch(found.sql, *values))
        return rows

    async def run(self, query: str, /, **params: Any) -> int:
        found = self._queries[query]
        values = found.numbered(params)
        self._check()
        status = await self._ask(lambda: self._link.execute(found.sql, *values))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0  # "create index" has no count

    async def many(self, query: str, rows: Sequence[tuple[Any, ...]], /) -> None:
        found = self._queries.rows(query, rows)
        self._check()
        if rows:
            columns = list(zip(*rows, strict=True))
            await self._ask(lambda: self._link.execute(found.sql, *columns))

    async def script(self, sql: str) -> None:
        """Run a migration: statements without parameters or rows."""
        await self._ask(lambda: self._link.execute(sql))

    async def lock_schema(self) -> None:
        """Wait until nobody else migrates; held until the transaction ends."""
        await self._ask(lambda: self._link.execute(f"select pg_advisory_xact_lock({SCHEMA_LOCK})"))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`; raise its database errors as ours, with the cause kept."""
        try:
            return await work()
        except CAUGHT as error:
            raise meaning(error, closed=_lost(self._link), readonly=self._readonly) from error

    def _check(self) -> None:
        if self.ended:
            raise QueryMistake("the transaction has ended")


async def _roll_back(link: Link) -> None:
    """Undo what is under way; a connection on which that fails is not used again."""
    try:
        if link.is_in_transaction():
            await link.execute("rollback")
    except CAUGHT:
        if not _lost(link):
            link.terminate()


def _lost(link: Link) -> bool:
    """Whether the connection is gone; the pool takes it back at once if it breaks in our hands."""
    try:
        return link.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _keep(_link: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Hand a connection back as it is: no query changes its session, a reset is a round trip."""
