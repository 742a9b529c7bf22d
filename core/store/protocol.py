"""What the rest of Angarium sees of a database: named queries inside transactions.

Queries stand in `queries/<noun>.sql`; how they are written is told in macros.py and catalogue.py.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

Dialect = Literal["sqlite", "postgres"]

Row = Sequence[Any]
"""Unpack it: `for id, attributes in rows`. JSON columns are `str`; read booleans by truthiness."""


class Transaction(Protocol):
    """Queries that take effect together or not at all. One at a time: do not gather them.

    exclusive: whether nobody else writes meanwhile (SQLite), so that a row which is not there need
    not be made only to be locked.

    Every method raises QueryMistake, Refused, Contention or StoreUnavailable (errors.py). After an
    error leave the block, so that it is rolled back: PostgreSQL answers nothing more in it.
    """

    @property
    def exclusive(self) -> bool: ...

    async def fetch(self, query: str, /, **params: Any) -> Sequence[Row]:
        """Run a `select`, or a statement with `returning`, and give all its rows."""
        ...

    async def run(self, query: str, /, **params: Any) -> int:
        """Run an insert, update or delete; say how many rows it changed."""
        ...

    async def many(self, query: str, rows: Sequence[tuple[Any, ...]], /) -> None:
        """Write many rows by one query with `{rows: …}`; the tuples are in that order.

        Let no key stand twice in `rows` (PostgreSQL refuses it) and sort them by key (two writers
        that lock the same rows in the same order cannot deadlock). No rows: nothing happens.
        """
        ...


class Store(Protocol):
    """One database, shared by every task of a process and by several processes."""

    @property
    def dialect(self) -> Dialect: ...

    async def migrate(self) -> int:
        """Bring the schema up to date; give its version. Raises SchemaTooNew.

        Several processes may do this at once. The first time it also makes the workspace
        `default` and the secret that signs links.
        """
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin writing; commit at the end of the block, roll back if it raises or is cancelled.

        May raise Contention at the start, from any query and from the commit: the whole block
        may then be run again (`retry.transact` does). On SQLite only one transaction is open at
        any time, over all processes, so compute before it and never wait for the network in it.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin reading; every query sees the state as of the first one. Writing is refused."""
        ...

    async def close(self) -> None:
        """Let go of the database. Called once, after the last transaction has ended."""
        ...
