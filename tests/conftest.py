"""Fixtures for every test: databases with the schema in place, fresh for each test.

store           an open, migrated store; the test runs once on SQLite and once on PostgreSQL
store_url       its URL, for a second store or another process on the same database
empty_url       the same, but of a database without any table
sqlite_url, postgres_url    a migrated database of one engine
postgres        the PostgreSQL server itself
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from angarium.core.store.open import open_store
from angarium.core.store.open import sqlite_url as url_of
from angarium.core.store.protocol import Store
from tests.databases import PostgresServer, migrate, postgres_server

pytest_plugins = ["tests.parts.nats"]

MIGRATED = "migrated_template"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def own_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that runs in a test sets up logs; no logger may keep that for the tests after."""
    configure = structlog.configure

    def without_cache(**settings: Any) -> None:
        settings["cache_logger_on_first_use"] = False
        configure(**settings)

    monkeypatch.setattr(structlog, "configure", without_cache)
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    asyncio.run(postgres.execute(f"create database {MIGRATED}"))
    migrate(postgres.url(MIGRATED))
    return MIGRATED


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    migrate(url_of(path))
    return path


@pytest.fixture
async def postgres_url(postgres: PostgresServer, postgres_template: str) -> AsyncIterator[str]:
    async with postgres.database(postgres_template) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    path = tmp_path / "angarium.db"
    shutil.copy(sqlite_template, path)
    return url_of(path)


@pytest.fixture
def sqlite_empty_url(tmp_path: Path) -> str:
    return url_of(tmp_path / "empty.db")


@pytest.fixture
async def postgres_empty_url(postgres: PostgresServer) -> AsyncIterator[str]:
    async with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_empty_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = await open_store(store_url)
    yield store
    await store.close()
