"""Every query in core/store/queries is understood by both engines, on the schema as it is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from angarium.core.store.catalogue import Query, load_queries
from tests.databases import PostgresServer


def test_sqlite_understands_every_query(sqlite_template: Path) -> None:
    with closing(sqlite3.connect(sqlite_template)) as connection:
        queries = load_queries("sqlite")

        assert {q.name: error for q in queries if (error := _explain(connection, q))} == {}


async def test_postgres_understands_every_query(
    postgres: PostgresServer, postgres_template: str
) -> None:
    link = await asyncpg.connect(postgres.url(postgres_template))
    try:
        errors = {q.name: await _prepare(link, q) for q in load_queries("postgres")}
    finally:
        await link.close()

    assert {name: error for name, error in errors.items() if error} == {}


def _explain(connection: sqlite3.Connection, query: Query) -> str:
    columns = query.expanded.columns
    values = [None] * columns if columns else dict.fromkeys(query.expanded.parameters)
    try:
        connection.execute(f"explain {query.sql}", values).fetchall()
    except sqlite3.Error as error:
        return str(error)
    return ""


async def _prepare(link: "asyncpg.Connection[asyncpg.Record]", query: Query) -> str:
    try:
        await link.prepare(query.sql)
    except asyncpg.PostgresError as error:
        return str(error)
    return ""
