"""Every query in core/store/queries is read, and understood by both engines."""

import sqlite3
from pathlib import Path

import asyncpg
import pytest

from angarium.core.store.catalogue import Query, load_queries
from tests.databases import PostgresServer

SQLITE = list(load_queries("sqlite"))
POSTGRES = list(load_queries("postgres"))


def named(query: Query) -> str:
    return query.name


@pytest.mark.parametrize("query", SQLITE, ids=named)
def test_sqlite_understands_every_query(query: Query, sqlite_template: Path) -> None:
    connection = sqlite3.connect(sqlite_template)
    count = query.expanded.columns
    values = [None] * count if count else dict.fromkeys(query.expanded.parameters)
    try:
        connection.execute(f"explain {query.sql}", values).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("query", POSTGRES, ids=named)
async def test_postgres_understands_every_query(
    query: Query, postgres: PostgresServer, postgres_template: str
) -> None:
    link = await asyncpg.connect(postgres.url(postgres_template))
    try:
        await link.prepare(query.sql)
    finally:
        await link.close()
