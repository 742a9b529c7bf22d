"""The schema is brought up to date once, whoever comes first, or not at all."""

from pathlib import Path

import pytest

from angarium.core.store.catalogue import QUERIES
from angarium.core.store.errors import QueryMistake, Refused, SchemaTooNew
from angarium.core.store.migrate import load_migrations, statements
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from tests.contracts import THINGS
from tests.store.programs import running

LATEST = len(load_migrations("sqlite"))
FIRST = "create table instance (name text primary key, value text not null);"


def folder(path: Path, *scripts: str) -> Path:
    for version, script in enumerate(scripts, 1):
        (path / f"{version:04}_step.sql").write_text(script, encoding="utf-8")
    return path


async def tables(store: Store) -> set[str]:
    async with store.reading() as tx:
        return {name for (name,) in await tx.fetch("table_names")}


async def test_an_empty_database_gets_the_schema_the_workspace_and_the_secret(
    empty_url: str,
) -> None:
    store = await open_store(empty_url, queries=(QUERIES, THINGS))
    assert await store.migrate() == LATEST
    async with store.reading() as tx:
        [(secret,)] = await tx.fetch("instance_values")
        assert len(bytes.fromhex(secret)) == 32
        assert list(await tx.fetch("workspace_ids")) == [("default",)]

    assert await store.migrate() == LATEST
    async with store.reading() as tx:
        assert list(await tx.fetch("instance_values")) == [(secret,)]
    await store.close()


async def test_two_processes_may_migrate_at_once(empty_url: str) -> None:
    with running("migrate", empty_url) as first, running("migrate", empty_url) as second:
        assert first.hear() == second.hear() == "opened"
        first.tell()
        second.tell()

        assert first.hear() == second.hear() == str(LATEST)


async def test_only_new_steps_are_run(empty_url: str, tmp_path: Path) -> None:
    queries = (QUERIES, THINGS)
    one = folder(tmp_path, FIRST)
    store = await open_store(empty_url, queries=queries, migrations=one)
    assert await store.migrate() == 1
    await store.close()

    two = folder(tmp_path, FIRST, "create table b (x {json}); create table c (y integer);")
    store = await open_store(empty_url, queries=queries, migrations=two)
    assert await store.migrate() == 2
    assert {"instance", "b", "c"} <= await tables(store)
    await store.close()


async def test_a_step_that_fails_leaves_nothing_behind(empty_url: str, tmp_path: Path) -> None:
    broken = folder(tmp_path, FIRST, "create table b (x text); create table b (x text);")
    store = await open_store(empty_url, queries=(QUERIES, THINGS), migrations=broken)
    with pytest.raises(Refused):
        await store.migrate()

    assert await tables(store) == set()
    await store.close()


async def test_a_newer_database_is_left_alone(empty_url: str, tmp_path: Path) -> None:
    newer = folder(tmp_path, FIRST, *["select 1;"] * LATEST)
    store = await open_store(empty_url, migrations=newer)
    await store.migrate()
    await store.close()

    store = await open_store(empty_url)
    with pytest.raises(SchemaTooNew, match=f"version {LATEST + 1}.*up to {LATEST}"):
        await store.migrate()
    await store.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [("0003_late.sql", "expected number 0002"), ("next.sql", "0007_what_it_does.sql")],
)
def test_numbers_have_no_gaps(tmp_path: Path, name: str, message: str) -> None:
    folder(tmp_path, FIRST)
    (tmp_path / name).write_text("select 1;")
    with pytest.raises(QueryMistake, match=message):
        load_migrations("sqlite", tmp_path)


def test_a_script_is_cut_where_statements_end() -> None:
    script = "select ';'; -- a; b\nselect 2;\n/* ; */ select 3;\n"

    assert [part.strip() for part in statements(script)] == [
        "select ';';",
        "-- a; b\nselect 2;",
        "/* ; */ select 3;",
        ";",
    ]


def test_a_last_statement_without_a_semicolon_counts() -> None:
    assert list(statements("select 1; select 2 -- b")) == ["select 1;", " select 2 -- b\n;"]
