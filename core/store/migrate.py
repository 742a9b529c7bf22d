"""Bring the schema up to date: numbered SQL files, applied in order in one transaction."""

import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from angarium.core.store.errors import QueryMistake, SchemaTooNew
from angarium.core.store.macros import expand
from angarium.core.store.protocol import Dialect, Transaction

MIGRATIONS = Path(__file__).with_name("migrations")

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: from version - 1 to `version`."""

    version: int
    name: str
    sql: str


class Migrating(Transaction, Protocol):
    """A transaction that may also change the schema."""

    async def lock_schema(self) -> None:
        """Wait until nobody else migrates; held until the transaction ends."""
        ...

    async def script(self, sql: str) -> None:
        """Run statements without parameters or rows."""
        ...


def load_migrations(dialect: Dialect, folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the files in order. Raises QueryMistake if a number is missing or stands twice."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        if not (match := _FILE.fullmatch(path.name)):
            raise QueryMistake(f"{path.name}: a migration is called 0007_what_it_does.sql")
        sql = expand(path.read_text(encoding="utf-8"), dialect).sql
        found.append(Migration(int(match[1]), match[2], sql))
        if found[-1].version != len(found):
            raise QueryMistake(f"{path.name}: expected number {len(found):04}")
    return found


async def apply(tx: Migrating, migrations: Sequence[Migration]) -> int:
    """Run what the database has not seen; give its version. Raises SchemaTooNew."""
    await tx.lock_schema()
    await tx.script(
        "create table if not exists schema_version"
        " (version integer primary key, name text not null);"
    )
    [(version,)] = await tx.fetch("schema_version")
    if version > len(migrations):
        raise SchemaTooNew(version, len(migrations))
    for migration in migrations[version:]:
        await tx.script(migration.sql)
        await tx.run("add_schema_version", version=migration.version, name=migration.name)
    if version == 0 and migrations:
        await tx.run("add_link_secret", value=secrets.token_hex(32))
    return len(migrations)


def statements(script: str) -> Iterator[str]:
    """Cut a script at the semicolons that end a statement (SQLite runs one at a time)."""
    statement = ""
    for part in f"{script}\n".split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
